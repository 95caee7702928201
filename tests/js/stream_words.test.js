import assert from "node:assert/strict";
import { test } from "node:test";
import { inputErrorWords, reasonWords, sinceWords, sourceWords } from "../../app/static/js/stream_words.js";

const NOW = "2026-11-24T18:01:05Z";
const STREAM = {
  source: "news.ts",
  source_note: "",
  group: "",
  source_errors: 0,
  is_stale: false,
  sample_age_s: 0.4,
  since: "2026-11-24T18:00:00Z",
  reason_text: null,
  remark: null,
  refused: 0,
  restarts: 0,
  retry_in_s: null,
};

test("a source shows its note and group where it has them", () => {
  assert.equal(sourceWords(STREAM), "news.ts");
  assert.equal(sourceWords({ ...STREAM, source_note: "loop", group: "Oslo" }), "news.ts · loop · group Oslo");
});

test("the input shows its errors where it has any", () => {
  assert.equal(inputErrorWords(STREAM), "");
  assert.equal(inputErrorWords({ source_errors: null }), "");
  assert.equal(inputErrorWords({ source_errors: 1 }), "1 error");
  assert.equal(inputErrorWords({ source_errors: 1200 }), "1\u202f200 errors");
});

test("a row gives its reason, or else how long the state has lasted", () => {
  assert.equal(reasonWords(STREAM, NOW), "00:01:05");
  assert.equal(reasonWords({ ...STREAM, reason_text: "The port is in use" }, NOW), "The port is in use");
});

test("a remark goes before refused callers, and the attempts come last", () => {
  assert.equal(reasonWords({ ...STREAM, refused: 3, restarts: 2 }, NOW), "00:01:05 · 3 refused · 2 restarts");
  assert.equal(reasonWords({ ...STREAM, refused: 3, remark: "RTT is high" }, NOW), "00:01:05 · RTT is high");
});

test("stale figures show their age and nothing else", () => {
  assert.equal(reasonWords({ ...STREAM, is_stale: true, sample_age_s: 7.6, remark: "old" }, NOW), "figures 8 s old");
});

test("a stream's page says why, since when, and how old stale figures are", () => {
  assert.equal(sinceWords(STREAM, NOW, {}), "for 00:01:05, since 18:00:00 UTC");
  const failed = { ...STREAM, reason_text: "The port is in use", restarts: 1, sample_age_s: 7.6 };
  assert.equal(
    sinceWords(failed, NOW, { remark: "RTT is high", isOld: true }),
    "The port is in use · for 00:01:05, since 18:00:00 UTC · RTT is high · 1 restart · figures 8 s old",
  );
});
