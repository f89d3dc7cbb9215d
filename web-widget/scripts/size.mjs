// The size that a page pays: everything that <order-tracking> loads, gzipped. Fails above the
// budget of 16 kB.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const BUDGET = 16 * 1024;
const folder = new URL("../dist/widget/", import.meta.url).pathname;

function load(file, seen = new Set()) {
  if (seen.has(file)) return seen;
  seen.add(file);
  const text = readFileSync(join(folder, file), "utf8");
  for (const [, name] of text.matchAll(/(?:from|import)\s*["']\.\/([^"']+)["']/g)) load(name, seen);
  return seen;
}

const files = [...load("order-tracking.js")];
const bytes = files.reduce((sum, file) => sum + gzipSync(readFileSync(join(folder, file)), { level: 9 }).length, 0);
console.log(`       <order-tracking>: ${bytes} bytes gzipped in ${files.length} files (budget ${BUDGET})`);
process.exit(bytes <= BUDGET ? 0 : 1);
