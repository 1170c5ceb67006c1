import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { defineConfig } from "vite";

/** What is worth compressing; below a packet there is nothing to gain. */
const compressible = /\.(?:html|js|css|svg|json|csv|txt)$/;
const least = 1024;

/** Puts a .br and a .gz beside every file, so that the host has nothing to compress. */
const precompress = {
  name: "precompress",
  apply: "build",
  writeBundle(options) {
    for (const entry of readdirSync(options.dir, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !compressible.test(entry.name)) {
        continue;
      }
      const path = join(entry.parentPath, entry.name);
      const content = readFileSync(path);
      if (content.length >= least) {
        writeFileSync(`${path}.br`, brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: content.length } }));
        writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
      }
    }
  },
};

/** The page is drawn when there is something to see, in the colours and the language that were chosen. */
const drawOnce = {
  name: "draw-once",
  transformIndexHtml: {
    order: "post",
    handler: (html) => html.replace(/<script type="module" crossorigin/, '<script type="module" blocking="render"').replace(/<link rel="stylesheet" crossorigin/, '<link rel="stylesheet"'),
  },
};

export default defineConfig({
  base: "./",
  publicDir: false,
  plugins: [drawOnce, precompress],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    assetsDir: "assets",
    // The page's policy lets nothing be loaded from data: addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    emptyOutDir: true,
    // Most of the time goes into compressing, as it should.
    rolldownOptions: { checks: { pluginTimings: false } },
  },
});
