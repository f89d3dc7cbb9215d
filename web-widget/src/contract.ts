// What the gateway sends: the parts of docs/openapi.json that the elements show.

export type StepState = "done" | "current" | "ahead";

export interface Step {
  code: string;
  state: StepState;
  at?: string | null;
}

export interface Item {
  line: string;
  title: string | null;
  quantity: number;
  status: string;
  shipment: string | null;
}

export interface Shipment {
  id: string;
  carrier: string | null;
  tracking_number: string | null;
  tracking_url: string | null;
  status: string;
  items: string[];
}

export interface Entry {
  id: string;
  at: string;
  milestone: string;
  source: string;
  shipment: string | null;
  location: string | null;
  confidence: "confirmed" | "reported" | "predicted";
  corrected_by: string | null;
}

export interface Range {
  earliest: string;
  latest: string;
}

export interface Timeline {
  order: string;
  version: number;
  status: string;
  progress: { delivered: number; of: number };
  terminal: boolean;
  steps: Step[];
  items: Item[];
  shipments: Shipment[];
  entries: Entry[];
  eta: (Range & { history: (Range & { at: string })[] }) | null;
  promise: { latest: string } | null;
  problem: { code: string; since: string; reason: string | null } | null;
}

export interface FeedItem {
  id: string;
  order: string;
  milestone: string;
  title: string;
  body: string;
  created_at: string;
  read_at: string | null;
}

export interface Feed {
  unread: number;
  items: FeedItem[];
}

/** A frame from the gateway (protocol milepost.v1). */
export type ServerFrame =
  | { op: "welcome"; heartbeat_ms: number }
  | { op: "snapshot" | "update"; channel: string; version: number; data: unknown }
  | { op: "same"; channel: string; version: number }
  | { op: "unsubscribed"; channel: string; reason: string }
  | { op: "error"; id?: number; code: string; message: string }
  | { op: "goodbye"; code: number; reconnect_after_ms?: number }
  | { op: "refresh" | "refreshed" | "pong" };
