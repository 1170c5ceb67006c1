// Bundles the tests beside this file, which are in TypeScript as what they test, and runs them by Node's own runner.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const here = dirname(fileURLToPath(import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "page-logic-"));
try {
  await build({
    configFile: false,
    logLevel: "warn",
    root: here,
    build: {
      ssr: true,
      outDir: folder,
      emptyOutDir: true,
      rollupOptions: {
        input: readdirSync(here).filter((name) => name.endsWith(".test.ts")).map((name) => join(here, name)),
        output: { entryFileNames: "[name].mjs" },
      },
    },
  });
  const tests = readdirSync(folder).filter((name) => name.endsWith(".test.mjs")).map((name) => join(folder, name));
  process.exitCode = tests.length === 0 ? 1 : (spawnSync(process.execPath, ["--test", ...tests], { stdio: "inherit" }).status ?? 1);
} finally {
  rmSync(folder, { recursive: true });
}
