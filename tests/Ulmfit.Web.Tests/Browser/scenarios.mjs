import assert from "node:assert/strict";
import { createServer } from "node:http";

const heading = (page, name) => page.getByRole("heading", { level: 1, name });

/** A newcomer's first look: it is there at once, it is light, and it says what to do. */
export async function firstVisit({ open, checkAccess, picture, address }) {
  const page = await open();
  const received = [];
  page.on("response", (response) => received.push(response));
  await page.goto(address);
  await heading(page, "Data sets").waitFor();
  await page.getByRole("heading", { name: "From your texts to your own classifier" }).waitFor();
  for (const step of ["Drop a file", "Watch it learn", "Ask it"]) {
    assert.ok(await page.getByText(step, { exact: true }).first().isVisible(), step);
  }
  await page.getByRole("button", { name: "Use the sample" }).waitFor();

  let weight = 0;
  for (const response of received) {
    assert.ok(new URL(response.url()).origin === address, `${response.url()} is not of this host`);
    if (!response.url().includes("/api/")) {
      weight += (await response.request().sizes()).responseBodySize;
    }
  }
  assert.ok(weight > 10_000 && weight < 300_000, `the page weighs ${weight} bytes`);
  const script = received.find((response) => response.url().endsWith(".js"));
  assert.match((await script.allHeaders())["content-encoding"] ?? "", /^(br|gzip)$/);

  // The best of some: a browser that has just started, beside others on a busy machine, is no measure of the page.
  const paints = [];
  for (let i = 0; i < 5; i++) {
    await page.goto("about:blank");
    await page.goto(address);
    await heading(page, "Data sets").waitFor();
    paints.push(await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Infinity));
  }
  console.log(`weight ${weight}, first contentful paint ${paints.map(Math.round).join(" ")} ms`);
  assert.ok(Math.min(...paints) < 1000, `first contentful paint after ${paints} ms`);

  await checkAccess(page, "empty, light");
  await picture(page, "empty");
  await page.emulateMedia({ colorScheme: "dark" });
  await checkAccess(page, "empty, dark");
}

/** From a file to a classified sentence, with the page alone; then a second version, and back. */
export async function mainJob({ open, checkAccess, picture, address, arguments: [first, second] }) {
  const page = await open({ permissions: ["clipboard-read", "clipboard-write"], expected: [/412/] });
  await page.goto(address);
  await page.locator("input[type=file]").setInputFiles(first);
  const name = page.getByLabel("Name of the data set");
  assert.equal(await name.inputValue(), "first");
  await name.fill("Not Good");
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("Only small letters, digits and -").waitFor();
  await name.fill("tickets");
  await name.press("Enter");

  // Its rows are looked at: the good are counted, the bad are named with line and reason.
  await heading(page, "tickets").waitFor();
  const row = page.locator("tr[data-drop='first.csv']");
  await row.getByText("accepted").waitFor();
  assert.deepEqual((await row.locator("td").allInnerTexts()).slice(1, 3), ["100", "3"]);
  const reasons = page.getByRole("table", { name: /Why 3 rows were refused/ });
  await reasons.waitFor();
  assert.match(await reasons.innerText(), /3\s+The row has no text\.[\s\S]*5\s+The row has no label\./);
  await checkAccess(page, "data set");
  await picture(page, "dataset");

  // The run, live.
  await page.getByRole("link", { name: "Watch the run" }).click();
  await heading(page, "Run tickets-1").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), "H1");
  await page.getByRole("heading", { name: /Forward/ }).waitFor();
  await page.locator("[data-status=running]").waitFor();
  await page.locator("[data-status=running]").getByText("Live").waitFor();
  await page.getByRole("row", { name: /Forward/ }).first().waitFor();
  await page.locator(".chart canvas").first().waitFor();
  const frozen = page.locator(".group.frozen");
  assert.ok((await frozen.count()) > 0 && (await page.locator(".group:not(.frozen)").count()) > 0, "the plan shows what is frozen");
  assert.match(await frozen.first().textContent(), /frozen/);
  await checkAccess(page, "run, live");
  await picture(page, "run-live");
  await page.locator("[data-status=completed]").waitFor({ timeout: 300_000 });
  await page.getByRole("heading", { name: "Result" }).waitFor();
  await page.locator(".chart canvas").nth(2).waitFor();
  assert.equal(await page.getByRole("button", { name: "Cancel the run" }).count(), 0);
  await checkAccess(page, "run, ended");

  // A sentence.
  await page.getByRole("main").getByRole("link", { name: "Try it" }).click();
  await page.getByLabel("Text", { exact: true }).fill("the parcel was lovely and great, so happy");
  const classes = page.getByRole("list", { name: /Classes/ });
  await classes.getByText("praise").waitFor();
  assert.match(await classes.getByRole("listitem").first().innerText(), /praise[\s\S]*\d/);
  await page.getByRole("heading", { name: "Which words spoke for it" }).waitFor();
  assert.equal(await page.locator(".words").innerText(), "the parcel was lovely and great, so happy");
  assert.ok((await page.locator(".words .for").count()) > 0);
  await page.getByRole("table", { name: /words that counted most/ }).waitFor();
  await checkAccess(page, "try it");
  await picture(page, "try");
  await page.getByRole("button", { name: "Copy the JavaScript call" }).click();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(copied, /\/api\/models\/tickets\/classify/);
  const ran = await page.evaluate(`(async () => { ${copied}; return result; })()`);
  assert.equal(ran.model, "tickets");
  assert.ok(ran.predictions[0].length > 0);

  // A correction is noted.
  await page.getByText("Not right?").click();
  await page.getByLabel("Right label").selectOption("complaint");
  await page.getByRole("main").getByRole("button", { name: "Send" }).click();
  await page.getByRole("main").getByText("Noted. 1 correction waits").waitFor();

  // A second file, dragged in: a new class, so that the new model wins.
  await page.getByRole("link", { name: "Data", exact: true }).click();
  await page.getByRole("link", { name: "tickets", exact: true }).click();
  await heading(page, "tickets").waitFor();
  await page.getByRole("heading", { name: "Files" }).waitFor();
  const { readFileSync } = await import("node:fs");
  const data = await page.evaluateHandle((content) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([content], "second.csv", { type: "text/csv" }));
    return transfer;
  }, readFileSync(second, "utf8"));
  await page.dispatchEvent("body", "dragover", { dataTransfer: data });
  await page.getByText("Let go to add the file").waitFor();
  await page.dispatchEvent("body", "drop", { dataTransfer: data });
  await page.locator("tr[data-drop='second.csv']").getByText("accepted").waitFor();
  await page.getByRole("link", { name: "Watch the run" }).click();
  await heading(page, "Run tickets-2").waitFor();
  await page.locator("[data-status=completed]").waitFor({ timeout: 300_000 });

  // Side by side, and back.
  await page.getByRole("link", { name: "To the model" }).click();
  await heading(page, "tickets").waitFor();
  await page.locator("tr[data-version='2']").getByText("answers").waitFor();
  await page.getByRole("row", { name: /Accuracy/ }).first().waitFor();
  for (const measure of [/Accuracy.*%.*%.*pp/, /Calibration error/, /int8: macro-F1/, /Run tickets-1 tickets-2 differs/, /Seed 42 42 the same/]) {
    await page.getByRole("row", { name: measure }).first().waitFor();
  }
  await page.getByRole("table", { name: /Version 1: true labels/ }).waitFor();
  await page.getByRole("table", { name: /Version 2: true labels/ }).waitFor();
  await checkAccess(page, "model");
  await picture(page, "model");
  const back = page.getByRole("button", { name: "Roll back: version 1" });
  await back.click();
  const dialog = page.getByRole("dialog", { name: "Roll back to version 1?" });
  await dialog.waitFor();
  await checkAccess(page, "confirmation");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  assert.equal(await back.evaluate((button) => document.activeElement === button), true, "the focus comes back");
  await page.locator("tr[data-version='2']").getByText("answers").waitFor();
  await back.click();
  await dialog.getByRole("button", { name: "Yes, let version 1 answer" }).click();
  await page.locator("tr[data-version='1']").getByText("answers").waitFor();
  assert.equal((await page.evaluate(() => fetch("/api/models/tickets").then((answer) => answer.json()))).champion, 1);
  // It is version 1 that was asked something today.
  await page.getByRole("row", { name: /\d{4}-\d\d-\d\d/ }).first().waitFor();

  // Somebody else promotes meanwhile: the page shows that, and asks again.
  await page.evaluate(() => fetch("/api/models/tickets/champion", { method: "PUT", body: '{"version": 2}' }));
  await page.evaluate(() => fetch("/api/models/tickets/champion", { method: "PUT", body: '{"version": 1}' }));
  await page.getByRole("button", { name: "Promote: version 2" }).click();
  await page.getByRole("button", { name: "Yes, let version 2 answer" }).click();
  await page.locator("[data-problem='precondition-failed']").waitFor();
  await page.getByRole("button", { name: "Promote: version 2" }).click();
  await page.getByRole("button", { name: "Yes, let version 2 answer" }).click();
  await page.locator("tr[data-version='2']").getByText("answers").waitFor();

  // Nothing is wider than a phone, in any view.
  await page.setViewportSize({ width: 390, height: 844 });
  for (const view of ["", "#/datasets/tickets", "#/runs", "#/runs/tickets-2", "#/models", "#/models/tickets", "#/try/tickets", "#/api"]) {
    await page.goto(`${address}/${view}`);
    await page.locator("h1").waitFor();
    await page.locator("main .soft, main table, main details").first().waitFor();
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), `${view} is wider than a phone`);
    await checkAccess(page, `${view} on a phone`);
    await picture(page, `phone-${view.replace(/\W+/g, "-") || "data"}`);
  }
}

/** A run is called off, after a question. */
export async function cancel({ open, address, arguments: [run] }) {
  const page = await open();
  await page.goto(`${address}/#/runs/${run}`);
  await page.getByRole("button", { name: "Cancel the run" }).click();
  const dialog = page.getByRole("dialog", { name: "Cancel this run?" });
  await dialog.getByRole("button", { name: "Go on training" }).click();
  await dialog.waitFor({ state: "detached" });
  await page.locator("[data-status=running]").waitFor();
  await page.getByRole("button", { name: "Cancel the run" }).click();
  await dialog.getByRole("button", { name: "Yes, cancel it" }).click();
  await page.locator("[data-status=canceled]").waitFor({ timeout: 300_000 });
  await page.getByText("This run was cancelled.").waitFor();
}

/** Where the host asks for keys, the page asks for one and follows a run with it. */
export async function keyAsked({ open, checkAccess, address, arguments: [key, run] }) {
  const page = await open({ expected: [/401/] });
  await page.goto(`${address}/#/runs/${run}`);
  const dialog = page.getByRole("dialog", { name: "This host asks for a key" });
  await dialog.waitFor();
  await checkAccess(page, "key");
  await dialog.getByLabel("Key").fill("wrong");
  await dialog.getByRole("button", { name: "Use this key" }).click();
  await page.getByText("That key was not accepted.").waitFor();
  await dialog.getByLabel("Key").fill(key);
  await dialog.getByLabel("Key").press("Enter");
  await dialog.waitFor({ state: "detached" });
  await page.locator("[data-status=completed]").waitFor({ timeout: 300_000 });
  const kept = await page.evaluate(() => [JSON.stringify(sessionStorage), JSON.stringify(localStorage), document.cookie, location.href]);
  assert.ok(kept[0].includes(key));
  assert.ok(!kept.slice(1).some((where) => where.includes(key)), "the key is in the tab alone");

  // A report opened by a link would have no key: it is saved instead.
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Report" }).click();
  assert.equal((await download).suggestedFilename(), `${run}.html`);

  await page.getByRole("button", { name: "Forget key" }).click();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  await page.getByRole("link", { name: "Models" }).click();
  await dialog.waitFor();
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await page.locator("[data-problem='http-401']").waitFor();
}

/** By keyboard alone; language and colours as the browser has them, or as they were chosen. */
export async function waysOfUse({ open, checkAccess, picture, address }) {
  const page = await open({ expected: [/404/] });
  await page.goto(address);
  await page.getByRole("heading", { name: "Drop a file" }).waitFor();
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Skip to the content");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "main");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("type")), "file");
  await page.getByRole("link", { name: "Runs" }).focus();
  await page.keyboard.press("Enter");
  await heading(page, "Runs").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), "H1");
  assert.equal(await page.title(), "Runs · Serverless ULMFiT");
  assert.equal(await page.getByRole("navigation").getByRole("link", { name: "Runs" }).getAttribute("aria-current"), "page");

  // A problem says what is wrong and what to do.
  await page.goto(`${address}/#/datasets/nothing`);
  await page.getByRole("alert").getByText("No such data set").waitFor();
  await page.getByText("Choose one from the list of data sets.").waitFor();
  await page.goto(`${address}/#/nowhere`);
  await heading(page, "Nothing here").waitFor();

  const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await ground();
  await page.getByLabel("Colours").selectOption("dark");
  assert.notEqual(await ground(), light);
  await page.getByLabel("Language").selectOption("zh");
  await page.getByRole("link", { name: "返回数据集" }).waitFor();
  await page.goto(address);
  await heading(page, "数据集").waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), "zh-Hans");
  assert.notEqual(await ground(), light);
  await checkAccess(page, "Chinese, dark");
  await picture(page, "empty-chinese-dark");

  const chinese = await open({ locale: "zh-CN", colorScheme: "dark", viewport: { width: 390, height: 844 } });
  await chinese.goto(address);
  await chinese.getByRole("heading", { level: 1, name: "数据集" }).waitFor();
  assert.notEqual(await chinese.evaluate(() => getComputedStyle(document.documentElement).backgroundColor), light);
}

/** The reference has every call of the document, to be found, opened and copied. */
export async function reference({ open, checkAccess, picture, address }) {
  const page = await open();
  await page.goto(`${address}/#/api`);
  await heading(page, "API").waitFor();
  const document = await page.evaluate(() => fetch("/api/openapi.json").then((answer) => answer.json()));
  const calls = Object.values(document.paths).flatMap((item) => Object.keys(item).filter((method) => ["get", "put", "post", "delete", "patch"].includes(method)));
  assert.ok(calls.length > 15);
  await page.getByText(`${calls.length} calls`).waitFor();
  assert.equal(await page.locator(".operation").count(), calls.length);
  await page.getByLabel("Find a call").fill("classify");
  const operation = page.locator(".operation").first();
  await operation.locator("summary").click();
  await operation.getByRole("tab", { name: "curl" }).click();
  assert.match(await operation.getByRole("tabpanel").innerText(), /curl -X POST 'http.*\/api\/models\/[a-z]+\/classify'/);
  await checkAccess(page, "API");
  await picture(page, "api");
}

/** A run with 200 epochs of two directions stays smooth: its events come from a server of this test, the page from the host. */
export async function manyEpochs({ open, address }) {
  const epochs = 200;
  const stages = [{ name: "lm", kind: "language-model", epochs, learningRate: 0.004, groups: ["lstm-1", "lstm-2", "lstm-3", "embedding"].map((name) => ({ name, trained: true, learningRate: 0.004 })) }];
  const history = [];
  const at = new Date().toISOString();
  const state = () => ({
    id: "many-1", dataset: "many", status: "running", revision: history.length, trigger: "drops", waiting: null, stage: "lm", direction: "forward", epoch: history.length, epochs, progress: history.length / (2 * epochs),
    etaSeconds: 100, eta: at, directions: [], plan: ["forward", "backward"].map((direction) => ({ direction, stages })), history, epochsDone: history.length, metrics: null, comparedWith: null, championMetrics: null,
    decision: null, weightsDigest: null, modelVersion: null, report: null, datasetVersion: 1, settings: {}, createdAt: at, startedAt: at, updatedAt: at, finishedAt: null, error: null,
  });
  let send = () => {};
  const server = createServer(async (request, response) => {
    if (request.url === "/api/runs/many-1/events") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      send = () => response.write(`event: run\nid: ${history.length}\ndata: ${JSON.stringify(state())}\n\n`);
      send();
      return;
    }
    const answer = await fetch(address + request.url);
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "text/plain", "content-security-policy": answer.headers.get("content-security-policy") ?? "" });
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const page = await open();
    const session = await page.context().newCDPSession(page);
    await session.send("Performance.enable", { timeDomain: "threadTicks" });
    await page.goto(`http://127.0.0.1:${server.address().port}/#/runs/many-1`);
    await page.locator("[data-status=running]").waitFor();
    const busy = async () => Object.fromEntries((await session.send("Performance.getMetrics")).metrics.map(({ name, value }) => [name, value])).TaskDuration;
    let worst = 0;
    for (let epoch = 1; epoch <= epochs; epoch++) {
      for (const direction of ["forward", "backward"]) {
        history.push({ direction, stageIndex: 0, stage: "lm", epoch, epochs, trainLoss: 5 / Math.sqrt(epoch), heldOutLoss: 5.2 / Math.sqrt(epoch), accuracy: null, perplexity: 100 / epoch, learningRate: 0.004 / epoch, seconds: 1 });
      }
      const measured = epoch > epochs - 10;
      const before = measured ? await busy() : 0;
      send();
      if (epoch % 20 === 0 || epoch >= epochs - 12) {
        // A look that costs the page next to nothing, as it is measured.
        await page.waitForFunction((text) => [...document.querySelectorAll(".stage .number")].every((one) => one.textContent.startsWith(text)), `${epoch} of ${epochs}`);
      }
      if (measured) {
        worst = Math.max(worst, (await busy()) - before);
      }
    }
    await page.getByRole("button", { name: `Show all ${2 * epochs}` }).click();
    assert.equal(await page.locator("section:has(#epochs) tbody tr").count(), 2 * epochs);
    console.log(`processor time of an update, at most ${Math.round(worst * 1000)} ms`);
    // Two updates a second come at most: even the worst leaves nine tenths of the time.
    assert.ok(worst < 0.05, `an update takes ${worst} s of the page's thread`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
