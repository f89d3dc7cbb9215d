// Colours and sizes, light and dark; a page overrides them by the same names.

import { css } from "lit";

export const tokens = css`
  :host {
    color-scheme: light dark;
    --accent: light-dark(var(--ot-accent, #0f766e), var(--ot-accent-dark, #2dd4bf));
    --text: light-dark(var(--ot-text, #1f2933), var(--ot-text-dark, #e6edf3));
    --muted: light-dark(var(--ot-muted, #52606d), var(--ot-muted-dark, #9aa7b4));
    --surface: light-dark(var(--ot-surface, #ffffff), var(--ot-surface-dark, #12181f));
    --line: light-dark(var(--ot-line, #d9e0e6), var(--ot-line-dark, #2b3743));
    --done: light-dark(var(--ot-done, #15803d), var(--ot-done-dark, #4ade80));
    --warn: light-dark(var(--ot-warn, #b45309), var(--ot-warn-dark, #fbbf24));
    --stop: light-dark(var(--ot-stop, #b91c1c), var(--ot-stop-dark, #f87171));
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
  :host([theme="light"]) {
    color-scheme: light;
  }
  :host([theme="dark"]) {
    color-scheme: dark;
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
