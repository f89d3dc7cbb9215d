// The parts of the page, as templates. Every text is a text node: nothing is ever parsed as HTML.

import { html, nothing, svg, type TemplateResult } from "lit";
import type { Timeline } from "../../contract.js";
import { moment, type Language } from "../../core/time.js";
import { carrier, words } from "../../words/book.js";
import { ui } from "../../words/ui.js";
import { contents, hasPlace, head, history, warning } from "./view.js";

const CHECK = svg`<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M3 8.5l3.2 3.2L13 5" fill="none"
  stroke="currentColor" stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round"></path></svg>`;

export function heading(timeline: Timeline, now: Date, language: Language): TemplateResult {
  const said = head(timeline, now, language);
  const own = ui(language);
  const { delivered, of } = timeline.progress;
  return html`
    <h2 class="headline" part="headline">${said.headline}</h2>
    ${said.eta
      ? html`<p class="eta" part="eta">${said.before ? html`<s>${said.before}</s>` : nothing}${own.expected} ${said.eta}</p>`
      : nothing}
    ${said.promise ? html`<p class="muted">${own.promised} ${said.promise}</p>` : nothing}
    ${said.next ? html`<p>${said.next}</p>` : nothing}
    ${of > 1 && delivered > 0 ? html`<p class="muted">${delivered} ${own.of} ${of} ${own.delivered}</p>` : nothing}
  `;
}

export function problem(timeline: Timeline, now: Date, language: Language): TemplateResult | typeof nothing {
  if (timeline.problem) {
    const said = words(timeline.problem.code, language);
    const since = moment(timeline.problem.since, now, language);
    return html`<div class="note stop" part="problem"><strong>${said.label}</strong> <span class="muted">${since}</span></div>`;
  }
  const late = warning(timeline, now, language);
  return late ? html`<div class="note" part="problem"><strong>${late.label}.</strong> ${late.text}</div>` : nothing;
}

export function steps(timeline: Timeline, now: Date, language: Language): TemplateResult {
  const own = ui(language);
  const one = (step: Timeline["steps"][number]) => html`
    <li class=${step.state} part="step" aria-current=${step.state === "current" ? "step" : nothing}>
      <span class="mark">${step.state === "done" ? CHECK : nothing}</span>
      <span class="name">${own.steps[step.code] ?? step.code}<span class="hidden">, ${own[step.state]}</span></span>
      ${step.at ? html`<time class="muted" datetime=${step.at}>${moment(step.at, now, language)}</time>` : html`<span></span>`}
    </li>`;
  return html`<nav class="steps" aria-label=${`${own.order} ${timeline.order}`}><ol role="list">${timeline.steps.map(one)}</ol></nav>`;
}

export function parcels(timeline: Timeline, language: Language): TemplateResult | typeof nothing {
  if (timeline.shipments.length === 0) return nothing;
  const own = ui(language);
  const one = (shipment: Timeline["shipments"][number], place: number) => html`
    <div class="card" part="parcel">
      <div class="row">
        <strong>${timeline.shipments.length > 1 ? `${own.parcel} ${place + 1} · ` : ""}${words(shipment.status, language).label}</strong>
        <span class="muted">${carrier(shipment.carrier, language)}</span>
      </div>
      ${timeline.shipments.length > 1 ? html`<p>${contents(timeline, shipment.items)}</p>` : nothing}
      ${shipment.tracking_number
        ? html`<p class="muted">${shipment.tracking_url
            ? html`<a href=${shipment.tracking_url} target="_blank" rel="noopener noreferrer"
                aria-label=${`${own.track}: ${shipment.tracking_number}`}>${shipment.tracking_number}</a>`
            : shipment.tracking_number}</p>`
        : nothing}
    </div>`;
  return html`<section><h3>${own.parcels}</h3><div class="cards">${timeline.shipments.map(one)}</div></section>`;
}

export function items(timeline: Timeline, language: Language): TemplateResult | typeof nothing {
  const named = timeline.items.filter((item) => item.title);
  if (named.length === 0) return nothing;
  const one = (item: Timeline["items"][number]) => html`
    <li class="row"><span>${item.quantity} × ${item.title}</span><span class="muted">${words(item.status, language).label}</span></li>`;
  return html`<section><h3>${ui(language).items}</h3><ul>${named.map(one)}</ul></section>`;
}

const FIRST = 5;

export function past(
  timeline: Timeline,
  now: Date,
  language: Language,
  all: boolean,
  toggle: () => void,
): TemplateResult {
  const own = ui(language);
  const entries = history(timeline, language);
  const one = (entry: (typeof entries)[number]) => html`
    <li class=${entry.corrected_by ? "corrected" : ""} part="event">
      <div class="row">
        <span class="label">${entry.label}</span>
        <time class="muted" datetime=${entry.at}>${moment(entry.at, now, language)}</time>
      </div>
      ${hasPlace(entry) ? html`<div class="muted">${entry.location}</div>` : nothing}
      ${entry.corrected_by ? html`<div class="muted">${own.corrected}</div>` : nothing}
      ${entry.confidence === "reported" ? html`<div class="muted">${own.reported}</div>` : nothing}
    </li>`;
  return html`<section class="history"><h3>${own.history}</h3>
    <ol role="list">${(all ? entries : entries.slice(0, FIRST)).map(one)}</ol>
    ${entries.length > FIRST
      ? html`<button @click=${toggle} aria-expanded=${all}>${all ? own.fewer : `${own.all} (${entries.length})`}</button>`
      : nothing}
  </section>`;
}
