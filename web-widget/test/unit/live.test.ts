import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { delay, isFinal } from "../../src/core/backoff.js";
import { Live, type Status, type Watcher } from "../../src/core/live.js";

class Socket {
  static all: Socket[] = [];
  readyState = 1;
  sent: Record<string, unknown>[] = [];
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  constructor(readonly url: string, readonly protocols: string[]) {
    Socket.all.push(this);
  }
  send(text: string): void {
    this.sent.push(JSON.parse(text) as Record<string, unknown>);
  }
  close(): void {
    this.readyState = 3;
  }
  say(frame: object): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
  end(code: number): void {
    this.readyState = 3;
    this.onclose?.({ code });
  }
  static get last(): Socket {
    return Socket.all[Socket.all.length - 1]!;
  }
}

function watcher(): Watcher & { versions: number[]; states: Status[]; codes: string[] } {
  const seen = { versions: [] as number[], states: [] as Status[], codes: [] as string[] };
  return {
    ...seen,
    state: (_data, version) => void seen.versions.push(version),
    status: (status) => void seen.states.push(status),
    refused: (code) => void seen.codes.push(code),
  };
}

const live = () => new Live("https://live.example", "t", (u, p) => new Socket(u, p) as unknown as WebSocket);

beforeEach(() => {
  Socket.all = [];
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

describe("a live connection", () => {
  it("says who it is in the handshake and subscribes when it is welcome", () => {
    live().watch("order:A", watcher());
    expect(Socket.last.url).toBe("wss://live.example/v1/live");
    expect(Socket.last.protocols).toEqual(["milepost.v1", "bearer.t"]);
    Socket.last.say({ op: "welcome", heartbeat_ms: 25000 });
    expect(Socket.last.sent[0]).toMatchObject({ op: "subscribe", channel: "order:A" });
  });

  it("keeps the highest version and ignores the rest", () => {
    const seen = watcher();
    live().watch("order:A", seen);
    Socket.last.say({ op: "welcome", heartbeat_ms: 25000 });
    for (const version of [3, 2, 3, 5]) Socket.last.say({ op: "update", channel: "order:A", version, data: {} });
    expect(seen.versions).toEqual([3, 5]);
  });

  it("comes back after the time that the gateway asked for, with what it has", () => {
    const seen = watcher();
    live().watch("order:A", seen);
    Socket.last.say({ op: "welcome", heartbeat_ms: 25000 });
    Socket.last.say({ op: "snapshot", channel: "order:A", version: 4, data: {} });
    Socket.last.say({ op: "goodbye", code: 4001, reconnect_after_ms: 1234 });
    Socket.last.end(4001);
    vi.advanceTimersByTime(1233);
    expect(Socket.all.length).toBe(1);
    vi.advanceTimersByTime(1);
    expect(Socket.all.length).toBe(2);
    Socket.last.say({ op: "welcome", heartbeat_ms: 25000 });
    expect(Socket.last.sent[0]).toMatchObject({ op: "subscribe", since: 4 });
    expect(seen.states).toEqual(["connecting", "live", "reconnecting", "live"]);
  });

  it("does not come back when the gateway says that it is over", () => {
    const seen = watcher();
    live().watch("order:A", seen);
    Socket.last.end(4401);
    vi.advanceTimersByTime(60_000);
    expect([Socket.all.length, seen.states.at(-1)]).toEqual([1, "ended"]);
  });

  it("comes back once with a newer token when the old one is over", async () => {
    const connection = live();
    connection.renew = async () => "newer";
    const seen = watcher();
    connection.watch("order:A", seen);
    Socket.last.end(4401);
    await vi.waitFor(() => expect(Socket.last.protocols).toEqual(["milepost.v1", "bearer.newer"]));
    Socket.last.end(4401);
    expect([Socket.all.length, seen.states.at(-1)]).toEqual([2, "ended"]);
  });

  it("gives a silent line up", () => {
    live().watch("order:A", watcher());
    Socket.last.say({ op: "welcome", heartbeat_ms: 25000 });
    vi.advanceTimersByTime(20_000);
    expect(Socket.last.sent.at(-1)).toEqual({ op: "ping" });
    vi.advanceTimersByTime(8_000 + 1_000);
    expect(Socket.all.length).toBe(2);
  });

  it("gets a newer token when it is asked for one", async () => {
    const connection = live();
    connection.renew = async () => "newer";
    connection.watch("order:A", watcher());
    Socket.last.say({ op: "welcome", heartbeat_ms: 25000 });
    Socket.last.say({ op: "refresh" });
    await vi.waitFor(() => expect(Socket.last.sent.at(-1)).toMatchObject({ op: "refresh", token: "newer" }));
  });

  it("tells whom it concerns that a channel is refused", () => {
    const seen = watcher();
    live().watch("order:A", seen);
    Socket.last.say({ op: "welcome", heartbeat_ms: 25000 });
    Socket.last.say({ op: "error", id: Socket.last.sent[0]!["id"], code: "forbidden", message: "" });
    expect(seen.codes).toEqual(["forbidden"]);
  });
});

describe("waiting", () => {
  it("grows, is spread and has a ceiling", () => {
    expect(delay(0, 1)).toBe(500);
    expect(delay(3, 1)).toBe(4000);
    expect(delay(30, 1)).toBe(20_000);
    expect(delay(30, 0)).toBe(250);
  });
  it("is pointless for final codes", () => {
    expect([4001, 4399, 1006].some(isFinal)).toBe(false);
    expect([4400, 4403, 4499].every(isFinal)).toBe(true);
  });
});
