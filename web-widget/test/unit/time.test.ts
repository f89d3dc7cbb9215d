import { describe, expect, it } from "vitest";
import { age, day, days, moment } from "../../src/core/time.js";

const at = (text: string) => new Date(`${text}`);
const now = at("2026-11-20T12:00:00");

describe("times", () => {
  it("are relative only under an hour", () => {
    const ago = (minutes: number) => new Date(now.getTime() - minutes * 60_000).toISOString();
    expect(moment(ago(0), now, "vi")).toBe("vừa xong");
    expect(moment(ago(5), now, "vi")).toBe("5 phút trước");
    expect(moment(ago(90), now, "vi")).toBe("lúc 10:30");
    expect(moment(ago(90), now, "en")).toBe("at 10:30");
    expect(moment(ago(60 * 48), now, "vi")).toBe("Thứ Tư, 12:00");
    expect(moment(ago(60 * 24 * 9), now, "en")).toBe("11 Nov, 12:00");
  });

  it("are shown as ranges of days", () => {
    const range = { earliest: at("2026-11-26T08:00:00").toISOString(), latest: at("2026-11-27T18:00:00").toISOString() };
    expect(days(range, "vi")).toBe("Thứ Năm 26 – Thứ Sáu 27/11");
    expect(days(range, "en")).toBe("Thu 26 – Fri 27 Nov");
    expect(days({ ...range, latest: range.earliest }, "vi")).toBe("Thứ Năm 26/11");
    const over = { earliest: at("2026-11-30T08:00:00").toISOString(), latest: at("2026-12-01T08:00:00").toISOString() };
    expect(days(over, "en")).toBe("Mon 30 Nov – Tue 1 Dec");
  });

  it("say calendar days without a zone", () => {
    expect(day("2026-11-27", "vi")).toBe("Thứ Sáu 27/11");
  });

  it("say how old something is", () => {
    expect(age(now.getTime() - 12_000, now, "vi")).toBe("12 giây");
    expect(age(now.getTime() - 180_000, now, "en")).toBe("3 min");
  });
});
