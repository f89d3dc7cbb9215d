import { defineConfig } from "vite";

// Two builds: the widget is one module that any page can load; the demo is a page of its own
// that loads it like any shop would.
export default defineConfig(({ mode }) => {
  if (mode === "demo") {
    return {
      root: "demo",
      base: "/demo/",
      build: {
        outDir: "../dist/demo",
        emptyOutDir: true,
        assetsInlineLimit: 0,
        modulePreload: false,
        rollupOptions: { external: [/^\/widget\//] },
      },
    };
  }
  return {
    build: {
      target: "es2022",
      outDir: "dist/widget",
      emptyOutDir: true,
      lib: {
        entry: {
          "order-tracking": "src/order-tracking.ts",
          "notification-feed": "src/notification-feed.ts",
        },
        formats: ["es" as const],
      },
    },
    test: { environment: "happy-dom", include: ["test/unit/**/*.test.ts"] },
  };
});
