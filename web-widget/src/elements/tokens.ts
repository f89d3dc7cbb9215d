// Colours and sizes, light and dark; a page overrides them by the same names.

import { css } from "lit";

export const tokens = css`
  :host {
    --accent: var(--ot-accent, #0f766e);
    --text: var(--ot-text, #1f2933);
    --muted: var(--ot-muted, #52606d);
    --surface: var(--ot-surface, #ffffff);
    --line: var(--ot-line, #d9e0e6);
    --done: var(--ot-done, #15803d);
    --warn: var(--ot-warn, #b45309);
    --stop: var(--ot-stop, #b91c1c);
    display: block;
    max-inline-size: 640px;
    min-inline-size: 0;
    color: var(--text);
    background: var(--surface);
    font: inherit;
    line-height: 1.5;
    font-variant-numeric: tabular-nums;
    container-type: inline-size;
    border-radius: 8px;
  }
  :host([hidden]) {
    display: none;
  }
  @media (prefers-color-scheme: dark) {
    :host(:not([theme="light"])) {
      --accent: var(--ot-accent-dark, #2dd4bf);
      --text: var(--ot-text-dark, #e6edf3);
      --muted: var(--ot-muted-dark, #9aa7b4);
      --surface: var(--ot-surface-dark, #12181f);
      --line: var(--ot-line-dark, #2b3743);
      --done: var(--ot-done-dark, #4ade80);
      --warn: var(--ot-warn-dark, #fbbf24);
      --stop: var(--ot-stop-dark, #f87171);
    }
  }
  :host([theme="dark"]) {
    --accent: var(--ot-accent-dark, #2dd4bf);
    --text: var(--ot-text-dark, #e6edf3);
    --muted: var(--ot-muted-dark, #9aa7b4);
    --surface: var(--ot-surface-dark, #12181f);
    --line: var(--ot-line-dark, #2b3743);
    --done: var(--ot-done-dark, #4ade80);
    --warn: var(--ot-warn-dark, #fbbf24);
    --stop: var(--ot-stop-dark, #f87171);
  }
  * {
    box-sizing: border-box;
  }
  h2,
  h3,
  p,
  ol,
  ul {
    margin: 0;
    padding: 0;
  }
  ol,
  ul {
    list-style: none;
  }
  button {
    font: inherit;
    color: var(--accent);
    background: none;
    border: 1px solid var(--line);
    border-radius: 8px;
    padding: 4px 12px;
    min-block-size: 32px;
    cursor: pointer;
  }
  a {
    color: var(--accent);
  }
  :focus-visible {
    outline: 2px solid var(--accent);
    outline-offset: 2px;
  }
  .hidden {
    position: absolute;
    inline-size: 1px;
    block-size: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  .muted {
    color: var(--muted);
    font-size: 0.8333em;
  }
`;
