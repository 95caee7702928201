import assert from "node:assert/strict";
import { test } from "node:test";
import { restartWords, stopWords } from "../../app/static/js/interrupted.js";

test("a question names the far ends by what the stream does", () => {
  assert.equal(stopWords(1, "send"), "1 receiver will be disconnected.");
  assert.equal(stopWords(2, "receive"), "2 senders will be disconnected.");
  assert.equal(stopWords(0, "relay"), "No caller is connected.");
});

test("streams of several kinds have far ends", () => {
  assert.equal(stopWords(3, "send", "receive", "send"), "3 far ends will be disconnected.");
  assert.equal(stopWords(2, "send", "send"), "2 receivers will be disconnected.");
});

test("a restart says that the far ends have to reconnect", () => {
  assert.equal(restartWords(1, "receive"), "1 sender will be disconnected and has to reconnect.");
  assert.equal(restartWords(2, "send"), "2 receivers will be disconnected and have to reconnect.");
});
