// <notification-feed customer="C-77" token="…" api="https://…" lang="vi">

import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import type { Feed, FeedItem } from "../../contract.js";
import { line, type Watcher } from "../../core/live.js";
import { moment } from "../../core/time.js";
import { languageOf, ui } from "../../words/ui.js";
import { tokens } from "../tokens.js";
import { styles } from "./styles.js";

export class NotificationFeed extends LitElement implements Watcher {
  static override styles = [tokens, styles];
  static override properties = {
    customer: { type: String, reflect: true },
    token: { type: String },
    api: { type: String, reflect: true },
    lang: { type: String, reflect: true },
    theme: { type: String, reflect: true },
    feed: { state: true },
  };

  declare customer: string;
  declare token: string;
  declare api: string;
  declare theme: string;
  declare feed: Feed | null;
  private leave: (() => void) | null = null;

  constructor() {
    super();
    this.customer = "";
    this.token = "";
    this.api = "";
    this.theme = "auto";
    this.feed = null;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.leave?.();
    this.leave = null;
  }

  override updated(changed: PropertyValues): void {
    if (!["customer", "token", "api"].some((name) => changed.has(name))) return;
    this.leave?.();
    this.leave = null;
    if (this.customer && this.token) this.leave = line(this.origin, this.token).watch(`inbox:${this.customer}`, this);
  }

  state(data: unknown): void {
    this.feed = data as Feed | null;
  }

  status(): void {}

  refused(): void {
    this.feed = null;
  }

  private get origin(): string {
    return this.api || location.origin;
  }

  private async readAll(): Promise<void> {
    const headers = { authorization: `Bearer ${this.token}` };
    await fetch(`${this.origin}/v1/inbox/read-all`, { method: "POST", headers });
  }

  override render(): TemplateResult {
    const language = languageOf(this.lang);
    const own = ui(language);
    const feed = this.feed ?? { unread: 0, items: [] };
    const now = new Date();
    const one = (item: FeedItem) => html`
      <li>
        <div class="row">
          <span class="title ${item.read_at ? "" : "new"}">${item.title}${item.read_at ? nothing : html`<span class="hidden"> (${own.isNew})</span>`}</span>
          <time class="muted" datetime=${item.created_at}>${moment(item.created_at, now, language)}</time>
        </div>
        <span>${item.body}</span>
        <span class="muted">${own.order} ${item.order}</span>
      </li>`;
    return html`<div class="page" lang=${language}>
      <div class="top">
        <h2>${own.feed}${feed.unread > 0 ? html` <span class="muted">${feed.unread} ${own.unread}</span>` : nothing}</h2>
        ${feed.unread > 0 ? html`<button @click=${() => void this.readAll()}>${own.readAll}</button>` : nothing}
      </div>
      ${feed.items.length > 0 ? html`<ul role="list">${feed.items.map(one)}</ul>` : html`<p class="muted">${own.nothing}</p>`}
    </div>`;
  }
}
