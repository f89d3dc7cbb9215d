// The page in a real browser, against the running stack: moves through a whole life without a
// reload, is clean for axe, fits from 320 px, sets no cookie, breaks no policy. With --shots it
// writes the screenshots of the documents.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const root = new URL("../../../", import.meta.url).pathname;
const manifest = JSON.parse(readFileSync(`${root}target/devstack/manifest.json`, "utf8"));
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const shots = process.argv.includes("--shots");
const QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: QUIET });
let failed = 0;

async function check(name, run) {
  const started = Date.now();
  try {
    const detail = await run();
    console.log(`       ok   ${name}${detail ? ` ${detail}` : ""}  (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed += 1;
    console.log(`       FAIL ${name}: ${error.message}`);
  }
}

function must(condition, text) {
  if (!condition) throw new Error(text);
}

async function open({ width = 1200, height = 900, theme = "light", lang = "vi", life = "plain", gateway = 0 }) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme, reducedMotion: "reduce" });
  const page = await context.newPage();
  const trouble = [];
  page.on("console", (message) => message.type() === "error" && trouble.push(message.text()));
  page.on("pageerror", (error) => trouble.push(error.message));
  await page.goto(`${manifest.gateways[gateway]}/demo?lang=${lang}&life=${life}&theme=${theme}`);
  return { context, page, trouble };
}

const headline = (page) => page.locator("order-tracking .headline").first();
const moved = (page, text, timeout = 60_000) => page.locator("order-tracking").getByText(text).first().waitFor({ timeout });

async function clean(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const list = found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(" ")).join(", ")}`);
  must(list.length === 0, `axe: ${list.join("; ")}`);
  return found.passes.length;
}

async function fits(page, width) {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  must(wide <= width, `the page is ${wide} px wide on ${width}`);
}

async function shot(page, name) {
  if (!shots) return;
  await page.screenshot({ path: `${root}docs/images/${name}.jpg`, type: "jpeg", quality: 70 });
}

await check("a whole life without a reload", async () => {
  const { context, page, trouble } = await open({});
  await page.evaluate(() => {
    window.sameDocument = true;
    window.headlines = [];
    const host = document.querySelector("order-tracking");
    const note = () => {
      const text = host.shadowRoot.querySelector(".headline")?.textContent;
      if (text && window.headlines.at(-1) !== text) window.headlines.push(text);
    };
    new MutationObserver(note).observe(host.shadowRoot, { subtree: true, childList: true, characterData: true });
  });
  await headline(page).waitFor();
  await clean(page);
  await moved(page, "Xưởng đang làm quà của bạn.");
  await clean(page);
  await moved(page, "Quà đã được giao.");
  await page.locator("notification-feed").getByText("Đã giao").first().waitFor();
  const passes = await clean(page);
  const seen = await page.evaluate(() => ({ same: window.sameDocument, headlines: window.headlines }));
  must(seen.same === true, "the page was loaded again");
  must(seen.headlines.length >= 5, `only ${seen.headlines.join(" / ")}`);
  must(trouble.length === 0, trouble.join("; "));
  must((await context.cookies()).length === 0, "a cookie was set");
  await context.close();
  return `${seen.headlines.length} headlines, axe: ${passes} rules passed, 0 violations`;
});

// A state that stays for a while is waited for; one that may pass in a blink is looked up in the
// history afterwards.
for (const [name, options, text, past] of [
  ["phone, Vietnamese", { width: 320, height: 1000 }, "Kiện hàng đang trên đường tới bạn."],
  ["phone, English, dark", { width: 360, height: 1000, lang: "en", theme: "dark", life: "remake" }, "Your gift has been delivered.", "Being remade"],
  ["desktop, English", { width: 1200, lang: "en", life: "two_parcels", gateway: 1 }, "Your parcel is on its way."],
  ["desktop, Vietnamese, dark", { width: 1200, theme: "dark", life: "delay" }, "Có thể trễ"],
  ["phone, a failed attempt", { width: 390, height: 1000, life: "failed_attempt" }, "Quà đã được giao.", "Chưa giao được"],
]) {
  await check(name, async () => {
    const { context, page, trouble } = await open(options);
    await moved(page, text, 20_000);
    await shot(page, name.toLowerCase().replace(/[^a-z]+/g, "-"));
    await fits(page, options.width);
    if (past) {
      await page.locator("order-tracking button").click();
      await page.locator("order-tracking .history").getByText(past).first().waitFor({ timeout: 5_000 });
    }
    await clean(page);
    must(trouble.length === 0, trouble.join("; "));
    await context.close();
  });
}

await check("a letter's link opens its order without the shop", async () => {
  const orders = await (await fetch(`${manifest.fakes}/shop/orders`)).json();
  const wanted = { subject: "guest:link", orders: [orders[0].order], scope: ["timeline"], ttl_seconds: 600 };
  const headers = { authorization: `Bearer ${manifest.api_key}`, "content-type": "application/json" };
  const minted = await fetch(`${manifest.gateways[0]}/v1/tokens`, { method: "POST", headers, body: JSON.stringify(wanted) });
  const { token } = await minted.json();
  const page = await browser.newPage();
  await page.goto(`${manifest.gateways[0]}/demo?order=${orders[0].order}#token=${token}`);
  await headline(page).waitFor({ timeout: 10_000 });
  await page.close();
});

await check("an order of somebody else is not found", async () => {
  const { context, page } = await open({});
  await headline(page).waitFor();
  await page.evaluate(() => document.querySelector("order-tracking").setAttribute("order", "TM-1"));
  await page.getByText("Không tìm thấy đơn hàng này.").waitFor({ timeout: 5_000 });
  await context.close();
});

await browser.close();
process.exit(failed === 0 ? 0 : 1);
