// One voice: the words for a milestone are the ones that letters and messages use.

import en from "../../../contract/words/en.json";
import vi from "../../../contract/words/vi.json";
import type { Language } from "../core/time.js";

export interface Words {
  label: string;
  headline: string;
  next: string;
}

const BOOKS: Record<Language, Record<string, Words>> = { vi, en };

/** The words for a milestone; a code that this widget does not know yet is shown as nothing. */
export function words(code: string, language: Language): Words {
  return BOOKS[language][code] ?? { label: "", headline: "", next: "" };
}

const CARRIERS: Record<string, string> = {
  ghn: "GHN",
  ghtk: "GHTK",
  viettelpost: "Viettel Post",
  ems: "EMS",
  nhattin: "Nhất Tín",
  ghsv: "GHSV",
};

/** A carrier by the name that people know it by. */
export function carrier(code: string | null | undefined, language: Language): string {
  const unknown = language === "vi" ? "Đơn vị vận chuyển" : "The carrier";
  return code ? (CARRIERS[code] ?? code) : unknown;
}

/** Fills `{carrier}`, `{day}` and `{eta}`. */
export function fill(text: string, values: { carrier: string; eta: string }): string {
  return text.replace("{carrier}", values.carrier).replace(/\{(day|eta)\}/, values.eta);
}
