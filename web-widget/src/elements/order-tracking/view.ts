// From a timeline to what is shown: pure, so that it is tested without a page.

import type { Entry, Timeline } from "../../contract.js";
import { day, days, type Language } from "../../core/time.js";
import { carrier, fill, words } from "../../words/book.js";
import { ui } from "../../words/ui.js";

export interface Head {
  headline: string;
  next: string;
  eta: string | null;
  /** The range before, while it is news that it moved. */
  before: string | null;
  /** What was promised, when that is something else. */
  promise: string | null;
}

const DAY_MS = 24 * 60 * 60_000;
/** What the parcel goes by when it is told of by itself. */
const BESIDE = new Set(["eta.set", "eta.revised", "delay.warning", "delivery.tomorrow"]);

/** The answer first: one sentence and one date. */
export function head(timeline: Timeline, now: Date, language: Language): Head {
  const eta = timeline.eta && !timeline.terminal ? days(timeline.eta, language) : null;
  const values = { carrier: carrierOf(timeline, language), eta: eta ?? ui(language).soon };
  const said = words(timeline.status, language);
  return {
    headline: fill(said.headline, values),
    next: timeline.status === "shipment.delivered" && !timeline.terminal ? "" : fill(said.next, values),
    eta,
    before: eta ? moved(timeline, now, language) : null,
    promise: eta ? promise(timeline, language) : null,
  };
}

function carrierOf(timeline: Timeline, language: Language): string {
  const moving = timeline.shipments.find((shipment) => shipment.status === timeline.status);
  return carrier((moving ?? timeline.shipments[0])?.carrier, language);
}

/** The range before the newest one, for a day after it moved. */
function moved(timeline: Timeline, now: Date, language: Language): string | null {
  const history = timeline.eta?.history ?? [];
  const [before, newest] = history.slice(-2);
  if (!before || !newest || now.getTime() - Date.parse(newest.at) > DAY_MS) return null;
  const [old, current] = [days(before, language), days(newest, language)];
  return old === current ? null : old;
}

/** What is there to be fetched, or comes back, is not late. */
const THERE = new Set(["shipment.available_for_pickup", "shipment.return_pending", "shipment.returning"]);

/** Is it expected after a day? */
function isAfter(eta: { latest: string }, lastDay: string): boolean {
  return new Date(eta.latest) > new Date(`${lastDay}T23:59:59`);
}

function promise(timeline: Timeline, language: Language): string | null {
  if (!timeline.promise || !timeline.eta) return null;
  return isAfter(timeline.eta, timeline.promise.latest) ? day(timeline.promise.latest, language) : null;
}

/**
 * The delay warning that stands, if the order is still on its way; a day that has passed, or that was promised
 * anyway, is no new one.
 */
export function warning(timeline: Timeline, now: Date, language: Language): { label: string; text: string } | null {
  const told = timeline.entries.some((e) => e.milestone === "delay.warning" && !e.corrected_by);
  if (!told || timeline.terminal || THERE.has(timeline.status)) return null;
  const { label, headline, next } = words("delay.warning", language);
  const { eta, promise } = timeline;
  const ahead = eta && new Date(eta.latest) > now && (!promise || isAfter(eta, promise.latest));
  const values = { carrier: "", eta: ahead ? days(eta, language) : "" };
  return { label, text: ahead ? `${headline} ${fill(next, values)}` : headline };
}

/** The history, newest first. */
export function history(timeline: Timeline, language: Language): (Entry & { label: string })[] {
  const named = timeline.entries.map((entry) => ({ ...entry, label: words(entry.milestone, language).label }));
  return named.filter((entry) => entry.label !== "").reverse();
}

/** Names of the lines in a parcel. */
export function contents(timeline: Timeline, lines: string[]): string {
  const inside = timeline.items.filter((item) => lines.includes(item.line) && item.title);
  return inside.map((item) => `${item.quantity} × ${item.title}`).join(", ");
}

/** Is the entry about the parcel itself, so that its place is worth a word? */
export function hasPlace(entry: Entry): boolean {
  return Boolean(entry.location) && entry.milestone.startsWith("shipment.") && !BESIDE.has(entry.milestone);
}
