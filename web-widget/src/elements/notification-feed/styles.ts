import { css } from "lit";

export const styles = css`
  .page {
    padding: 16px;
    display: grid;
    gap: 8px;
  }
  .top {
    display: flex;
    justify-content: space-between;
    align-items: center;
    gap: 4px 8px;
    flex-wrap: wrap;
  }
  .top button {
    white-space: nowrap;
  }
  h2 {
    font-size: 1.2em;
  }
  li {
    padding-block: 8px;
    border-block-start: 1px solid var(--line);
    display: grid;
    gap: 2px;
  }
  .title {
    font-weight: 600;
  }
  .row {
    display: flex;
    justify-content: space-between;
    gap: 8px;
  }
  .new::before {
    content: "";
    display: inline-block;
    inline-size: 8px;
    block-size: 8px;
    border-radius: 50%;
    background: var(--accent);
    margin-inline-end: 6px;
  }
`;
