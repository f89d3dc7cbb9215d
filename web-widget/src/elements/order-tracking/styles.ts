import { css } from "lit";

export const styles = css`
  .page {
    display: grid;
    gap: 24px;
    padding: 16px;
  }
  header {
    display: grid;
    gap: 4px;
  }
  .top {
    display: flex;
    justify-content: space-between;
    gap: 8px;
    flex-wrap: wrap;
  }
  .headline {
    font-size: 1.44em;
    line-height: 1.25;
    font-weight: 700;
    text-wrap: balance;
  }
  .eta {
    font-size: 1.2em;
    font-weight: 600;
    color: var(--accent);
  }
  .eta s {
    color: var(--muted);
    font-weight: 400;
    margin-inline-end: 8px;
  }
  .dot {
    display: inline-block;
    inline-size: 8px;
    block-size: 8px;
    border-radius: 50%;
    background: var(--done);
    margin-inline-end: 6px;
  }
  .dot.off {
    background: var(--warn);
  }
  .note {
    border-inline-start: 4px solid var(--warn);
    padding: 8px 12px;
    background: color-mix(in srgb, var(--warn) 8%, transparent);
    border-radius: 4px;
  }
  .note.stop {
    border-color: var(--stop);
    background: color-mix(in srgb, var(--stop) 8%, transparent);
  }
  h3 {
    font-size: 1em;
    font-weight: 600;
    margin-block-end: 8px;
  }

  /* Steps: a vertical line on narrow places, a horizontal one from 560 px. */
  .steps li {
    display: grid;
    grid-template-columns: 24px 1fr auto;
    gap: 0 12px;
    padding-block-end: 12px;
    position: relative;
    align-items: start;
  }
  .steps li:not(:last-child)::before {
    content: "";
    position: absolute;
    inset-block: 24px 0;
    inset-inline-start: 11px;
    inline-size: 2px;
    background: var(--line);
  }
  .steps li.done:not(:last-child)::before {
    background: var(--done);
  }
  .mark {
    inline-size: 24px;
    block-size: 24px;
    border-radius: 50%;
    border: 2px solid var(--line);
    display: grid;
    place-items: center;
    background: var(--surface);
    color: var(--surface);
  }
  .mark svg {
    inline-size: 14px;
    block-size: 14px;
  }
  .done .mark {
    background: var(--done);
    border-color: var(--done);
  }
  .current .mark {
    border: 6px solid var(--accent);
  }
  .current .name {
    font-weight: 700;
  }
  .ahead .name {
    color: var(--muted);
  }
  @container (min-width: 560px) {
    .steps ol {
      display: grid;
      grid-auto-flow: column;
      grid-auto-columns: 1fr;
    }
    .steps li {
      grid-template-columns: 1fr;
      justify-items: center;
      text-align: center;
      gap: 4px;
      padding: 0 2px;
      font-size: 0.8333em;
      line-height: 1.3;
    }
    .steps li:not(:last-child)::before {
      inset-block: 11px auto;
      inset-inline: calc(50% + 14px) calc(-50% + 14px);
      inline-size: auto;
      block-size: 2px;
    }
  }

  .cards {
    display: grid;
    gap: 8px;
  }
  .card {
    border: 1px solid var(--line);
    border-radius: 8px;
    padding: 12px;
    display: grid;
    gap: 2px;
  }
  .row {
    display: flex;
    justify-content: space-between;
    gap: 12px;
    flex-wrap: wrap;
  }
  .row > * {
    min-inline-size: 0;
    overflow-wrap: anywhere;
  }
  .history li {
    padding-block: 6px;
    border-block-start: 1px solid var(--line);
  }
  .history li.corrected .label {
    text-decoration: line-through;
    color: var(--muted);
  }
  .history button {
    margin-block-start: 8px;
  }
  .skeleton {
    block-size: 1em;
    border-radius: 4px;
    background: var(--line);
  }
  .skeleton.wide {
    block-size: 1.6em;
  }
  .skeleton.short {
    inline-size: 40%;
  }
  @media (prefers-reduced-motion: no-preference) {
    .fresh {
      animation: appear 0.4s ease-out;
    }
    @keyframes appear {
      from {
        opacity: 0;
      }
    }
    .steps .mark,
    .steps li::before {
      transition: background-color 0.4s, border-color 0.4s;
    }
  }
`;
