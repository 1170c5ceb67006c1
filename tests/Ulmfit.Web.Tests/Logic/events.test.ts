import assert from "node:assert/strict";
import { test } from "node:test";
import { EventStreamReader } from "../../../src/Ulmfit.Web/src/api/event-stream";

const stream = '\uFEFFretry: 1000\n: a comment\n\nevent: run\r\nid: 7\r\ndata: {"a":\r\ndata: 1}\r\n\r\ndata:plain\n\nid: 9\nevent: nothing\n\nevent: run\rid: 10\rdata: last\r\rx';
const messages = [
  { event: "run", data: '{"a":\n1}', id: "7" },
  { event: "message", data: "plain", id: "7" },
  { event: "run", data: "last", id: "10" },
];

test("A stream gives the same messages however it is cut", () => {
  for (let first = 0; first <= stream.length; first++) {
    for (const second of [first, Math.min(stream.length, first + 1), Math.floor((first + stream.length) / 2)]) {
      const reader = new EventStreamReader();
      const found = [stream.slice(0, first), stream.slice(first, second), stream.slice(second)].flatMap((piece) => reader.read(piece));
      assert.deepEqual(found, messages, `cut at ${first} and ${second}`);
    }
  }
});

test("A message that has not ended is kept back", () => {
  const reader = new EventStreamReader();
  assert.deepEqual(reader.read("data: half\n"), []);
  assert.deepEqual(reader.read("\n"), [{ event: "message", data: "half", id: null }]);
});
