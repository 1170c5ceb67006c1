import assert from "node:assert/strict";
import { test } from "node:test";
import { datasetName, dropName, isDropFile, nextDropName, suggestDataset } from "../../../src/Ulmfit.Web/src/logic/names";
import { initialLanguage } from "../../../src/Ulmfit.Web/src/i18n/choice";
import { link, parseRoute } from "../../../src/Ulmfit.Web/src/router";

/** As ResourceNames of the pipeline has it. */
const drop = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

test("Whatever a file is called, its drop and data set have names that the API takes", () => {
  for (const file of ["tickets.csv", "My Tickets (2024).CSV", "工单.csv", "---.tsv", ".csv", "déjà vu.jsonl.gz", `${"x".repeat(300)}.csv.gz`, "-a-.csv", "a..csv", "con (1).tsv"]) {
    const name = dropName(file);
    assert.match(name, drop, file);
    assert.ok(isDropFile(name), file);
    const suggested = suggestDataset(file);
    assert.ok(suggested === "" || datasetName.test(suggested), `${file}: ${suggested}`);
    assert.match(nextDropName(name), drop, file);
    assert.notEqual(nextDropName(name), name);
  }
  assert.equal(dropName("My Tickets (2024).CSV"), "My-Tickets-2024.csv");
  assert.equal(nextDropName("a.csv.gz"), "a-2.csv.gz");
  assert.equal(nextDropName("a-9.csv"), "a-10.csv");
  assert.ok(!isDropFile("tickets.xlsx"));
});

test("The language is the chosen one, else the first of the browser's that there is, else English", () => {
  assert.equal(initialLanguage("zh", ["en"]), "zh");
  assert.equal(initialLanguage("fr", ["de-DE", "zh-TW", "en"]), "zh");
  assert.equal(initialLanguage(null, ["de"]), "en");
});

test("A link leads back to what it was made of", () => {
  assert.deepEqual(parseRoute(link.dataset("a-1")), { view: "dataset", name: "a-1" });
  assert.deepEqual(parseRoute(link.run("a-1")), { view: "run", id: "a-1" });
  assert.deepEqual(parseRoute(link.tryIt("a")), { view: "try", model: "a" });
  assert.deepEqual(parseRoute(""), { view: "datasets" });
  assert.deepEqual(parseRoute("#/runs/a/b"), { view: "unknown" });
  assert.deepEqual(parseRoute("#/runs/%E0%A4%A"), { view: "run", id: "%E0%A4%A" });
});
