// The shop's own page: it places an order at its back end, gets a token for it, and hands both
// to the elements. A letter's link brings the order in the query and the token behind `#`.

import type { OrderTracking } from "../src/elements/order-tracking/order-tracking.component.js";
import type { NotificationFeed } from "../src/elements/notification-feed/notification-feed.component.js";

const EN: Record<string, string> = {
  title: "Your order",
  lead: "Gifts made for one person at a time, in our small workshop. This page updates itself.",
  life: "What will happen to the order?",
  plain: "All goes well",
  two_parcels: "Two parcels",
  delay: "Later than promised",
  failed_attempt: "First delivery fails",
  remake: "Has to be made again",
  cash_on_delivery: "Paid at the door",
  cancelled: "Cancelled and refunded",
  begin: "Place a new order",
  foot: "A shop to try things in: customers, goods and orders are made up.",
};

const VI: Record<string, string> = Object.fromEntries(
  [...document.querySelectorAll<HTMLElement>("[data-t]")].map((e) => [e.dataset["t"] ?? "", e.textContent ?? ""]),
);
const tracking = document.querySelector<OrderTracking>("#tracking")!;
const feed = document.querySelector<NotificationFeed>("#feed")!;
const form = document.querySelector<HTMLFormElement>("#new")!;
const trouble = document.querySelector<HTMLElement>("#trouble")!;
const parameters = new URLSearchParams(location.search);

interface Placed {
  order: string;
  customer: string;
  token: string;
}

function speak(language: string): void {
  const words = language === "en" ? EN : VI;
  document.documentElement.lang = language;
  document.querySelectorAll<HTMLElement>("[data-t]").forEach((e) => (e.textContent = words[e.dataset["t"] ?? ""] ?? ""));
  document.querySelectorAll<HTMLElement>("[data-lang]").forEach((e) => e.setAttribute("aria-pressed", String(e.dataset["lang"] === language)));
  for (const element of [tracking, feed]) element.lang = language;
}

function dress(theme: string): void {
  document.documentElement.dataset["theme"] = theme;
  for (const element of [tracking, feed]) element.setAttribute("theme", theme);
}

async function post<T>(path: string, body: object): Promise<T> {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`/demo/api${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(String(answer.status));
  return (await answer.json()) as T;
}

function show(placed: Placed): void {
  tracking.renewToken = async () => (await post<{ token: string }>(`/orders/${placed.order}/token`, placed)).token;
  Object.assign(tracking, { order: placed.order, token: placed.token });
  Object.assign(feed, { customer: placed.customer, token: placed.token });
}

async function place(life: string): Promise<void> {
  // One visitor is one customer, until the page is loaded again.
  const customer = feed.customer || `C-${crypto.getRandomValues(new Uint32Array(1))[0]}`;
  try {
    show(await post<Placed>("/orders", { life, customer, locale: document.documentElement.lang }));
    trouble.textContent = "";
  } catch (error) {
    trouble.textContent = document.documentElement.lang === "en" ? `The shop does not answer (${String(error)}).` : `Cửa hàng không trả lời (${String(error)}).`;
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  void place(String(new FormData(form).get("life")));
});
document.querySelectorAll<HTMLElement>("[data-lang]").forEach((e) => e.addEventListener("click", () => speak(e.dataset["lang"] ?? "vi")));

speak(parameters.get("lang") ?? "vi");
dress(parameters.get("theme") ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));

const token = new URLSearchParams(location.hash.slice(1)).get("token");
const order = parameters.get("order");
if (order && token) {
  Object.assign(tracking, { order, token });
  feed.hidden = true;
} else {
  const life = parameters.get("life") ?? "plain";
  form.querySelector<HTMLSelectElement>("select")!.value = life;
  void place(life);
}
