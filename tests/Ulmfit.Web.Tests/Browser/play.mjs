// node play.mjs SCENARIO CHROMIUM ADDRESS [ARGUMENT…]: goes through a scenario in a headless browser; exit code 1 where it fails.
// With SCREENSHOTS set to a folder, scenarios leave pictures there.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";
import * as scenarios from "./scenarios.mjs";

const [name, executablePath, address, ...rest] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const errors = [];

/** Opens a page as a person's browser would, whose errors are gathered. */
async function open(browser, options = {}) {
  const { expected = [], ...context } = options;
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "en-GB", reducedMotion: "reduce", ...context })).newPage();
  page.setDefaultTimeout(60_000);
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && !expected.some((pattern) => pattern.test(message.text()))) {
      errors.push(`${message.type()}: ${message.text()}`);
    }
  });
  page.on("pageerror", (error) => errors.push(`exception: ${error.message}`));
  return page;
}

/** Serious findings of axe-core on what is shown. It is put into the page past the page's policy, as an extension would. */
async function checkAccess(page, where) {
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send("Page.getFrameTree");
  const { executionContextId: contextId } = await session.send("Page.createIsolatedWorld", { frameId: frameTree.frame.id, worldName: "axe" });
  const evaluate = async (expression) => {
    const { result, exceptionDetails } = await session.send("Runtime.evaluate", { expression, contextId, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) {
      throw new Error(`${where}: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`);
    }
    return result.value;
  };
  await evaluate(axe);
  const found = await evaluate("axe.run(document, { resultTypes: ['violations'] }).then((result) => result.violations.map(({ id, impact, help, nodes }) => ({ id, impact, help, nodes: nodes.map((node) => `${node.target.join(' ')}: ${node.failureSummary}`) })))");
  await session.detach();
  const serious = found.filter((one) => one.impact === "serious" || one.impact === "critical");
  if (serious.length > 0) {
    throw new Error(`${where}: ${JSON.stringify(serious, null, 2)}`);
  }
}

async function picture(page, file, options = {}) {
  if (process.env.SCREENSHOTS) {
    await page.screenshot({ path: join(process.env.SCREENSHOTS, `${file}.png`), fullPage: true, ...options });
  }
}

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
try {
  await scenarios[name]({ open: (options) => open(browser, options), checkAccess, picture, address, arguments: rest });
  if (errors.length > 0) {
    throw new Error(`The console has errors:\n${errors.join("\n")}`);
  }
} catch (error) {
  console.error(error);
  console.error(errors.join("\n"));
  const page = browser.contexts().at(-1)?.pages().at(-1);
  console.error(await page?.locator("main").innerText({ timeout: 1000 }).then((text) => text.slice(0, 1500)).catch(() => ""));
  process.exitCode = 1;
} finally {
  await browser.close();
}
