// Times and days as people say them, in the viewer's zone.

import type { Range } from "../contract.js";

export type Language = "vi" | "en";

const MINUTE = 60_000;
const VI_DAYS = ["Chủ Nhật", "Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy"];
const EN_DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const EN_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function weekday(day: Date, language: Language): string {
  return (language === "vi" ? VI_DAYS : EN_DAYS)[day.getDay()] ?? "";
}

function date(day: Date, language: Language): string {
  return language === "vi" ? `${day.getDate()}/${day.getMonth() + 1}` : `${day.getDate()} ${EN_MONTHS[day.getMonth()]}`;
}

function clock(time: Date): string {
  return `${String(time.getHours()).padStart(2, "0")}:${String(time.getMinutes()).padStart(2, "0")}`;
}

function sameDay(a: Date, b: Date): boolean {
  return a.toDateString() === b.toDateString();
}

/** "5 phút trước", "lúc 10:32", "Thứ Ba, 10:32", "20/11, 10:32". */
export function moment(at: string, now: Date, language: Language): string {
  const time = new Date(at);
  const minutes = Math.floor((now.getTime() - time.getTime()) / MINUTE);
  const vi = language === "vi";
  if (minutes >= 0 && minutes < 1) return vi ? "vừa xong" : "just now";
  if (minutes >= 0 && minutes < 60) return vi ? `${minutes} phút trước` : `${minutes} min ago`;
  if (sameDay(time, now)) return vi ? `lúc ${clock(time)}` : `at ${clock(time)}`;
  const week = Math.abs(now.getTime() - time.getTime()) < 6 * 24 * 60 * MINUTE;
  return `${week ? weekday(time, language) : date(time, language)}, ${clock(time)}`;
}

/** "12 giây", "3 phút": how long something has been so. */
export function age(since: number, now: Date, language: Language): string {
  const seconds = Math.max(0, Math.round((now.getTime() - since) / 1000));
  if (seconds < 60) return language === "vi" ? `${seconds} giây` : `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return language === "vi" ? `${minutes} phút` : `${minutes} min`;
}

/** "Thứ Năm 26 – Thứ Sáu 27/11", "Thu 26 – Fri 27 Nov"; one day for a range within one. */
export function days(range: Range, language: Language): string {
  const [first, last] = [new Date(range.earliest), new Date(range.latest)];
  const end = `${weekday(last, language)} ${date(last, language)}`;
  if (sameDay(first, last)) return end;
  const month = first.getMonth() === last.getMonth();
  return `${weekday(first, language)} ${month ? first.getDate() : date(first, language)} – ${end}`;
}

/** A calendar day (`2026-11-27`), which has no zone. */
export function day(text: string, language: Language): string {
  const [year, month, number] = text.split("-").map(Number);
  const local = new Date(year ?? 0, (month ?? 1) - 1, number ?? 1);
  return `${weekday(local, language)} ${date(local, language)}`;
}
