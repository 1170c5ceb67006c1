import assert from "node:assert/strict";
import { test } from "node:test";
import { write } from "../../../src/Ulmfit.Web/src/logic/calls";
import { answerOf, piecesOf, strongest } from "../../../src/Ulmfit.Web/src/logic/explain";
import { operationsOf, schemaText, type OpenApi } from "../../../src/Ulmfit.Web/src/logic/openapi";
import { differing, flatten } from "../../../src/Ulmfit.Web/src/logic/settings";

const token = (text: string, start: number, contribution: number) => ({ text, start, end: start + text.length, contribution });

test("The pieces of a text are the text, whatever tokens it is given with", () => {
  const text = "so 很好 good 👍 bad";
  for (const tokens of [[], [token("good", 6, 1)], [token("bad", 14, -2), token("很好", 3, 0.5)], [token("so 很好", 0, 1), token("很好", 3, 1)], [token("long", 16, 1)], [{ text: "", start: 4, end: 2, contribution: 1 }]]) {
    assert.equal(piecesOf(text, tokens).map((piece) => piece.text).join(""), text);
  }
  const pieces = piecesOf(text, [token("good", 6, 0.1), token("bad", 14, -2), token("so", 0, 0)]);
  assert.deepEqual(strongest(pieces, 5).map((piece) => piece.text), ["bad", "good"]);
});

test("An answer is read in both of its shapes", () => {
  const predictions = [{ label: "a", score: 1 }];
  assert.deepEqual(answerOf({ model: "m", version: 1, predictions: [predictions] }), { predictions, explanation: null });
  const explained = { predictions, explanation: { label: "a", method: "x", tokens: [] } };
  assert.deepEqual(answerOf({ model: "m", version: 1, predictions: [explained] }), explained);
});

test("A call can be pasted whatever the text is, and never holds a key", () => {
  const call = { method: "POST", path: "/api/models/m/classify", body: { inputs: `it's "$HOME" \\ \`x\`` } };
  const curl = write(call, "curl", "http://localhost:7071", true);
  assert.ok(curl.includes(`-d '{"inputs":"it'\\''s \\"$HOME\\" \\\\ \`x\`"}'`), curl);
  assert.ok(curl.includes("YOUR_FUNCTION_KEY"));
  assert.ok(!write(call, "curl", "http://localhost:7071", false).includes("x-functions-key"));
  const script = write(call, "fetch", "http://localhost:7071", false);
  assert.doesNotThrow(() => new Function(`return async (fetch) => { ${script} }`));
  assert.match(write({ method: "PUT", path: "/x", file: "a.csv" }, "csharp", "http://h", false), /HttpMethod\.Put, "http:\/\/h\/x"[\s\S]*File\.OpenRead\("a\.csv"\)/);
});

test("References of a document are followed, and one that leads to itself ends", () => {
  const document: OpenApi = {
    paths: { "/a/{id}": { parameters: [{ $ref: "#/components/parameters/Id" }], get: { responses: { "200": { content: { "application/json": { schema: { $ref: "#/components/schemas/Tree" } } } } } } } },
    components: {
      parameters: { Id: { name: "id", in: "path", required: true, schema: { type: "string" } } },
      schemas: { Tree: { type: "object", required: ["name"], properties: { name: { type: ["string", "null"] }, children: { type: "array", items: { $ref: "#/components/schemas/Tree" } } } } },
    },
  };
  const [operation] = operationsOf(document);
  assert.equal(operation?.method, "GET");
  assert.equal(operation?.parameters[0]?.name, "id");
  const text = schemaText(document, operation!.answers[0]!.body!.schema!);
  assert.match(text, /name: string \| null/);
  assert.match(text, /children\?: /);
  assert.ok(text.includes("Tree[]"));
});

test("Settings that differ are named by their path", () => {
  assert.deepEqual(differing([{ a: 1, b: { c: [1], d: null } }, { a: 1, b: { c: [2] } }]), ["b.c", "b.d"]);
  assert.deepEqual(differing([{ a: 1 }]), []);
  assert.equal(flatten({ b: { d: null } }).get("b.d"), "null");
});
