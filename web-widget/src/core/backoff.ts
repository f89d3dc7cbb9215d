// How long to wait before connecting again: full jitter, so that ten thousand pages that lost
// the same gateway do not come back at the same moment.

export const BASE_MS = 500;
export const CAP_MS = 20_000;

/** The wait before try number `attempt` (0 = the first), with `random` from 0 to 1. */
export function delay(attempt: number, random: number = Math.random()): number {
  const ceiling = Math.min(CAP_MS, BASE_MS * 2 ** Math.min(attempt, 10));
  return Math.round(BASE_MS / 2 + random * (ceiling - BASE_MS / 2));
}

/** Codes 4400 to 4499 say: not again without a change. */
export function isFinal(code: number): boolean {
  return code >= 4400 && code < 4500;
}
