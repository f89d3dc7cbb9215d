import { defineConfig, type Plugin } from "vite";

/** Styles in templates are not minified by anybody else; white space in them is a tenth of the budget. */
function tightStyles(): Plugin {
  const tight = (text: string) =>
    text
      .replace(/\/\*[\s\S]*?\*\//g, "")
      .replace(/\s+/g, " ")
      .replace(/ ?([{};,]) ?/g, "$1");
  return {
    name: "tight-styles",
    enforce: "pre",
    transform: (code, id) =>
      id.includes("/src/elements/") ? code.replace(/css`([^`]*)`/g, (_, text: string) => `css\`${tight(text)}\``) : null,
  };
}

// Two builds: the widget is a few modules that any page can load; the demo is a page of its own
// that loads them like any shop would.
export default defineConfig(({ mode }) => {
  if (mode === "demo") {
    return {
      root: "demo",
      base: "/demo/",
      build: {
        target: "es2022",
        outDir: "../dist/demo",
        emptyOutDir: true,
        assetsInlineLimit: 0,
        modulePreload: false,
        rollupOptions: { external: [/^\/widget\//] },
      },
    };
  }
  return {
    plugins: [tightStyles()],
    build: {
      target: "es2022",
      outDir: "dist/widget",
      emptyOutDir: true,
      modulePreload: false,
      rollupOptions: {
        input: {
          "order-tracking": "src/order-tracking.ts",
          "notification-feed": "src/notification-feed.ts",
        },
        preserveEntrySignatures: "strict" as const,
        output: { entryFileNames: "[name].js", chunkFileNames: "[name]-[hash].js" },
      },
    },
    test: { environment: "happy-dom", include: ["test/unit/**/*.test.ts"] },
  };
});
