import { afterEach, describe, expect, it } from "vitest";
import type { Timeline } from "../../src/contract.js";
import "../../src/order-tracking.js";
import type { OrderTracking } from "../../src/order-tracking.js";
import { head, warning } from "../../src/elements/order-tracking/view.js";

const now = new Date("2026-11-20T12:00:00");

function timeline(change: Partial<Timeline> = {}): Timeline {
  const codes = ["placed", "confirmed", "production", "packed", "in_transit", "out_for_delivery", "delivered"];
  return {
    order: "TM-1",
    version: 3,
    status: "shipment.handed_over",
    progress: { delivered: 0, of: 1 },
    terminal: false,
    steps: codes.map((code, place) => ({ code, state: place < 4 ? "done" : place === 4 ? "current" : "ahead", at: place < 5 ? now.toISOString() : null })),
    items: [{ line: "1", title: "<img src=x onerror=alert(1)>", quantity: 2, status: "shipment.handed_over", shipment: "P1" }],
    shipments: [{ id: "P1", carrier: "ghn", tracking_number: "GHN1", tracking_url: null, status: "shipment.handed_over", items: ["1"] }],
    entries: [{ id: "a", at: now.toISOString(), milestone: "shipment.handed_over", source: "ghn", shipment: "P1", location: "Kho 1", confidence: "confirmed", corrected_by: null }],
    eta: { earliest: "2026-11-26T08:00:00", latest: "2026-11-27T18:00:00", history: [] },
    promise: { latest: "2026-11-25" },
    problem: null,
    ...change,
  };
}

async function shown(apply: (element: OrderTracking) => void): Promise<string> {
  const element = document.createElement("order-tracking") as OrderTracking;
  element.lang = "vi";
  document.body.append(element);
  apply(element);
  await element.updateComplete;
  return element.shadowRoot!.textContent!.replace(/\s+/g, " ");
}

afterEach(() => document.body.replaceChildren());

describe("the answer first", () => {
  it("names carrier, range and the promise that does not hold", () => {
    const said = head(timeline(), now, "vi");
    expect(said.headline).toBe("GHN đã nhận kiện hàng.");
    expect(said.eta).toBe("Thứ Năm 26 – Thứ Sáu 27/11");
    expect(said.promise).toBe("Thứ Tư 25/11");
  });
  it("shows what was said before while it is news", () => {
    const range = (from: string, to: string, at: string) => ({ earliest: from, latest: to, at });
    const history = [range("2026-11-24T08:00:00", "2026-11-24T18:00:00", "2026-11-19T12:00:00"), range("2026-11-26T08:00:00", "2026-11-27T18:00:00", "2026-11-20T11:00:00")];
    const eta = { earliest: "2026-11-26T08:00:00", latest: "2026-11-27T18:00:00", history };
    expect(head(timeline({ eta }), now, "en").before).toBe("Tue 24 Nov");
    expect(head(timeline({ eta }), new Date("2026-11-22T12:00:00"), "en").before).toBeNull();
  });
  it("says nothing of dates once it is over", () => {
    expect(head(timeline({ terminal: true, status: "shipment.delivered" }), now, "vi").eta).toBeNull();
  });
  it("warns while the warning stands", () => {
    const entry = { ...timeline().entries[0]!, milestone: "delay.warning" };
    const late = timeline({ entries: [entry] });
    expect(warning(late, now, "vi")?.text).toContain("Ngày mới: Thứ Năm 26 – Thứ Sáu 27/11.");
    expect(warning(late, new Date("2026-11-28T12:00:00"), "vi")?.text).not.toContain("Ngày mới");
    expect(warning({ ...late, promise: { latest: "2026-11-26" } }, now, "vi")?.text).toContain("Ngày mới");
    expect(warning({ ...late, promise: { latest: "2026-11-27" } }, now, "vi")?.text).not.toContain("Ngày mới");
    expect(warning({ ...late, status: "shipment.available_for_pickup" }, now, "vi")).toBeNull();
    expect(warning(timeline({ entries: [entry], eta: null }), now, "vi")?.label).toBeTruthy();
    expect(warning(timeline({ entries: [{ ...entry, corrected_by: "x" }] }), now, "vi")).toBeNull();
  });
});

describe("<order-tracking>", () => {
  it("shows a skeleton, then the order, and never markup of others", async () => {
    expect(await shown(() => undefined)).toContain("Đang tải đơn hàng…");
    const text = await shown((element) => {
      element.status("live", 0);
      element.state(timeline());
    });
    expect(text).toContain("GHN đã nhận kiện hàng.");
    expect(text).toContain("2 × <img src=x onerror=alert(1)>");
    expect(document.querySelector("order-tracking:last-child")!.shadowRoot!.querySelector("img")).toBeNull();
  });
  it("says honestly that it is not live", async () => {
    const text = await shown((element) => {
      element.state(timeline());
      element.status("reconnecting", Date.now() - 12_000);
    });
    expect(text).toMatch(/Đang kết nối lại\. Thông tin cách đây 1[12] giây/);
  });
  it("has words for an order that is new, missing or over", async () => {
    expect(await shown((e) => e.state(null))).toContain("Đơn vừa được đặt.");
    expect(await shown((e) => e.refused("forbidden"))).toContain("Không tìm thấy đơn hàng này.");
    expect(await shown((e) => e.status("ended", 0))).toContain("đã hết phiên");
  });
  it("marks the current step for everybody", async () => {
    await shown((element) => element.state(timeline()));
    const steps = document.querySelector("order-tracking")!.shadowRoot!.querySelectorAll("[aria-current=step]");
    expect(steps.length).toBe(1);
    expect(steps[0]!.textContent).toContain("đang ở bước này");
  });
});
