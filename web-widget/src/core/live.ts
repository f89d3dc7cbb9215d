// One live connection for all elements of a page that speak to the same gateway with the same
// token. A channel keeps its highest version and ignores the rest; a repeat is harmless.

import type { ServerFrame } from "../contract.js";
import { delay, isFinal } from "./backoff.js";

export type Status = "connecting" | "live" | "reconnecting" | "ended";

export interface Watcher {
  /** A newer state; null while nobody has heard of the thing. */
  state(data: unknown, version: number): void;
  /** The connection's state, and since when it is not live. */
  status(status: Status, since: number): void;
  /** The gateway refuses the channel. */
  refused(code: string): void;
}

interface Channel {
  version: number;
  data: unknown;
  known: boolean;
  watchers: Set<Watcher>;
}

/** A page asks again this often; without an answer the line is dead though it looks open. */
const PING_MS = 20_000;
const PONG_MS = 8_000;
/** The close code of a token that is missing, bad or over. */
const BAD_TOKEN = 4401;

export class Live {
  private channels = new Map<string, Channel>();
  private socket: WebSocket | null = null;
  private attempt = 0;
  private timer = 0;
  private heard = 0;
  private requests = new Map<number, string>();
  private nextRequest = 1;
  private current: Status = "connecting";
  private since = Date.now();
  private wait: number | null = null;
  private renewed = false;
  /** Gets a newer token when the gateway asks for one. */
  renew: (() => Promise<string>) | null = null;

  constructor(
    private readonly api: string,
    private token: string,
    private readonly open: (url: string, protocols: string[]) => WebSocket = (u, p) => new WebSocket(u, p),
  ) {}

  watch(name: string, watcher: Watcher): () => void {
    const first = this.channels.size === 0;
    let channel = this.channels.get(name);
    if (!channel) {
      channel = { version: 0, data: null, known: false, watchers: new Set() };
      this.channels.set(name, channel);
      if (this.current === "live") this.subscribe(name, channel);
    }
    channel.watchers.add(watcher);
    watcher.status(this.current, this.since);
    if (channel.known) watcher.state(channel.data, channel.version);
    if (first) this.start();
    return () => this.unwatch(name, watcher);
  }

  private unwatch(name: string, watcher: Watcher): void {
    const channel = this.channels.get(name);
    channel?.watchers.delete(watcher);
    if (channel?.watchers.size !== 0) return;
    this.channels.delete(name);
    if (this.channels.size === 0) this.stop();
    else this.send({ op: "unsubscribe", id: this.nextRequest++, channel: name });
  }

  private start(): void {
    addEventListener("online", this.hurry);
    document.addEventListener("visibilitychange", this.hurry);
    this.connect();
  }

  private stop(): void {
    removeEventListener("online", this.hurry);
    document.removeEventListener("visibilitychange", this.hurry);
    clearTimeout(this.timer);
    const socket = this.socket;
    this.socket = null;
    socket?.close(1000);
    lines.forEach((line, key) => line === this && lines.delete(key));
  }

  /** Back online, or looked at again: do not wait out the rest. */
  private hurry = (): void => {
    if (this.socket || this.current === "ended" || document.visibilityState === "hidden") return;
    clearTimeout(this.timer);
    this.connect();
  };

  private connect(): void {
    const url = `${this.api.replace(/^http/, "ws")}/v1/live`;
    const socket = this.open(url, ["milepost.v1", `bearer.${this.token}`]);
    this.socket = socket;
    socket.onmessage = (event) => this.socket === socket && this.take(String(event.data));
    socket.onclose = (event) => this.socket === socket && this.closed(event.code);
  }

  private closed(code: number): void {
    this.socket = null;
    clearTimeout(this.timer);
    const renewable = code === BAD_TOKEN && this.renew !== null && !this.renewed;
    if (isFinal(code) && !renewable) {
      this.tell("ended");
      return;
    }
    this.tell("reconnecting");
    if (renewable) {
      void this.comeBackRenewed();
      return;
    }
    const wait = this.wait ?? delay(this.attempt);
    this.wait = null;
    this.attempt += 1;
    this.timer = window.setTimeout(() => this.connect(), wait);
  }

  /** A page that slept past its token's end: a newer one is a change, so one more try is right. */
  private async comeBackRenewed(): Promise<void> {
    this.renewed = true;
    try {
      this.token = (await this.renew?.()) ?? this.token;
      this.connect();
    } catch {
      this.tell("ended");
    }
  }

  private take(text: string): void {
    this.heard = Date.now();
    const frame = JSON.parse(text) as ServerFrame;
    switch (frame.op) {
      case "welcome":
        this.attempt = 0;
        this.renewed = false;
        this.tell("live");
        this.channels.forEach((channel, name) => this.subscribe(name, channel));
        this.ping();
        break;
      case "snapshot":
      case "update":
        this.state(frame.channel, frame.version, frame.data);
        break;
      case "error":
        this.refused(frame.id, frame.code);
        break;
      case "unsubscribed":
        this.drop(frame.channel, frame.reason);
        break;
      case "refresh":
        void this.refresh();
        break;
      case "goodbye":
        this.wait = frame.reconnect_after_ms ?? null;
        break;
      default:
        break;
    }
  }

  private state(name: string, version: number, data: unknown): void {
    const channel = this.channels.get(name);
    if (!channel || (channel.known && version <= channel.version)) return;
    Object.assign(channel, { version, data, known: true });
    channel.watchers.forEach((watcher) => watcher.state(data, version));
  }

  private refused(id: number | undefined, code: string): void {
    const name = id === undefined ? undefined : this.requests.get(id);
    if (name !== undefined) this.drop(name, code);
  }

  private drop(name: string, code: string): void {
    if (code !== "asked") this.channels.get(name)?.watchers.forEach((watcher) => watcher.refused(code));
  }

  private subscribe(name: string, channel: Channel): void {
    const id = this.nextRequest++;
    this.requests.set(id, name);
    const since = channel.known && channel.version > 0 ? { since: channel.version } : {};
    this.send({ op: "subscribe", id, channel: name, ...since });
  }

  private async refresh(): Promise<void> {
    if (!this.renew) return;
    try {
      this.token = await this.renew();
      this.send({ op: "refresh", id: this.nextRequest++, token: this.token });
    } catch {
      // The shop does not answer: the token holds for a while, and the gateway asks only once,
      // so ask again before it is too late.
      window.setTimeout(() => void this.refresh(), 5_000);
    }
  }

  private ping(): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      const asked = Date.now();
      this.send({ op: "ping" });
      this.timer = window.setTimeout(() => {
        if (this.heard >= asked) return this.ping();
        const socket = this.socket;
        this.closed(4004);
        socket?.close();
      }, PONG_MS);
    }, PING_MS);
  }

  private send(frame: object): void {
    if (this.socket?.readyState === 1) this.socket.send(JSON.stringify(frame));
  }

  private tell(status: Status): void {
    if (status === this.current) return;
    this.current = status;
    this.since = Date.now();
    this.channels.forEach((channel) => channel.watchers.forEach((w) => w.status(status, this.since)));
  }
}

const lines = new Map<string, Live>();

/** The page's connection for a gateway and a token. */
export function line(api: string, token: string): Live {
  const key = `${api} ${token}`;
  const live = lines.get(key) ?? new Live(api, token);
  lines.set(key, live);
  return live;
}
