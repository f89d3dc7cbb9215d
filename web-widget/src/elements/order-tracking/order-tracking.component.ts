// <order-tracking order="TM-1042" token="…" api="https://…" lang="vi" theme="auto">
//
// Fires `ot-ready` with the first state, `ot-update` with each newer one, `ot-error` when there
// is nothing to show. `renewToken` (a property) is asked for a newer token before one ends.

import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import type { Timeline } from "../../contract.js";
import { line, type Status, type Watcher } from "../../core/live.js";
import { age } from "../../core/time.js";
import { languageOf, ui } from "../../words/ui.js";
import { tokens } from "../tokens.js";
import * as parts from "./parts.js";
import { styles } from "./styles.js";
import { head } from "./view.js";

/** Times such as "5 minutes ago" are told anew this often. */
const TICK_MS = 15_000;
/** A status that changes more often than this is spoken only once. */
const SPEAK_MS = 5_000;

export class OrderTracking extends LitElement implements Watcher {
  static override styles = [tokens, styles];
  static override properties = {
    order: { type: String, reflect: true },
    token: { type: String },
    api: { type: String, reflect: true },
    lang: { type: String, reflect: true },
    theme: { type: String, reflect: true },
    renewToken: { attribute: false },
    timeline: { state: true },
    line: { state: true },
    refusal: { state: true },
    all: { state: true },
    spoken: { state: true },
  };

  declare order: string;
  declare token: string;
  declare api: string;
  declare theme: string;
  declare renewToken: (() => Promise<string>) | null;
  declare timeline: Timeline | null | undefined;
  declare line: { status: Status; since: number };
  declare refusal: string | null;
  declare all: boolean;
  declare spoken: string;

  private leave: (() => void) | null = null;
  private tick = 0;
  private speech = 0;

  constructor() {
    super();
    this.order = "";
    this.token = "";
    this.api = "";
    this.theme = "auto";
    this.renewToken = null;
    this.timeline = undefined;
    this.line = { status: "connecting", since: Date.now() };
    this.refusal = null;
    this.all = false;
    this.spoken = "";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.tick = window.setInterval(() => this.requestUpdate(), TICK_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.tick);
    clearTimeout(this.speech);
    this.leave?.();
    this.leave = null;
  }

  override updated(changed: PropertyValues): void {
    if (["order", "token", "api"].some((name) => changed.has(name)) || (!this.leave && this.isConnected)) this.join();
    if (this.line.status === "reconnecting") window.setTimeout(() => this.requestUpdate(), 1000);
  }

  /** Reads the order anew. */
  refresh(): void {
    this.join();
  }

  private join(): void {
    this.leave?.();
    this.leave = null;
    if (!this.order || !this.token) return;
    this.timeline = undefined;
    this.refusal = null;
    const live = line(this.api || location.origin, this.token);
    if (this.renewToken) live.renew = this.renewToken;
    this.leave = live.watch(`order:${this.order}`, this);
  }

  state(data: unknown): void {
    const first = this.timeline === undefined;
    this.timeline = data as Timeline | null;
    this.refusal = null;
    this.emit(first ? "ot-ready" : "ot-update", this.timeline);
    this.speak();
  }

  status(status: Status, since: number): void {
    this.line = { status, since };
    if (status === "ended") this.emit("ot-error", { code: "ended" });
  }

  refused(code: string): void {
    this.refusal = code;
    this.emit("ot-error", { code });
  }

  private emit(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

  /** Only a new headline is spoken, and not more often than a listener can take. */
  private speak(): void {
    clearTimeout(this.speech);
    this.speech = window.setTimeout(() => {
      if (this.timeline) this.spoken = head(this.timeline, new Date(), this.language).headline;
    }, this.spoken ? SPEAK_MS : 0);
  }

  private get language(): "vi" | "en" {
    return languageOf(this.lang);
  }

  override render(): TemplateResult {
    return html`<div class="page" lang=${this.language}>
      <div class="hidden" role="status">${this.spoken}</div>
      ${this.body()}
    </div>`;
  }

  private body(): TemplateResult {
    const own = ui(this.language);
    if (this.refusal) return html`<p class="headline">${own.missing}</p><p>${own.missingHint}</p>`;
    if (!this.timeline) {
      if (this.line.status === "ended") return html`<p class="note stop">${own.ended}</p>`;
      return this.timeline === null ? html`${this.connection()}<p>${own.empty}</p>` : this.skeleton();
    }
    return this.shown(this.timeline);
  }

  private skeleton(): TemplateResult {
    return html`<div aria-busy="true"><span class="hidden">${ui(this.language).loading}</span>
      <div class="cards"><div class="skeleton wide"></div><div class="skeleton short"></div>
      <div class="skeleton"></div><div class="skeleton"></div></div></div>`;
  }

  private shown(timeline: Timeline): TemplateResult {
    const [now, language] = [new Date(), this.language];
    const toggle = () => (this.all = !this.all);
    return html`
      <header>${this.connection()}${parts.heading(timeline, now, language)}</header>
      ${parts.problem(timeline, now, language)}
      ${parts.steps(timeline, now, language)}
      ${parts.parcels(timeline, language)}
      ${parts.items(timeline, language)}
      ${parts.past(timeline, now, language, this.all, toggle)}
    `;
  }

  /** The order's number, and honestly how fresh this is. */
  private connection(): TemplateResult {
    const own = ui(this.language);
    const { status, since } = this.line;
    const over = this.timeline?.terminal ?? false;
    let note: unknown = nothing;
    if (status === "ended") note = html`<span><span class="dot off"></span>${own.ended}</span>`;
    else if (status === "reconnecting" || status === "connecting") {
      const old = age(since, new Date(), this.language);
      note = html`<span class="offline"><span class="dot off"></span>${own.reconnecting} ${old}.</span>`;
    } else if (!over) note = html`<span><span class="dot"></span>${own.live}</span>`;
    return html`<div class="top muted"><span>${own.order} ${this.order}</span>${note}</div>`;
  }
}
