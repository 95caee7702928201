import assert from "node:assert/strict";
import { test } from "node:test";
import { stepFor, tickText, wholeSteps, withGaps } from "../../app/static/js/chart_time.js";

test("a range has at most six steps, of whole seconds, minutes, hours or days", () => {
  assert.equal(stepFor(30), 5);
  assert.equal(stepFor(300), 60);
  assert.equal(stepFor(86_400), 21_600);
  assert.equal(stepFor(30 * 86_400), 86_400);
});

test("ticks stand at whole steps inside the range", () => {
  assert.deepEqual(wholeSteps({ min: 61, max: 240 }, 60), [{ value: 120 }, { value: 180 }, { value: 240 }]);
});

test("a label has seconds in a short range and the date in one over a day", () => {
  const at = Date.parse("2026-11-24T18:05:07Z") / 1000;
  assert.equal(tickText(at, 60), "18:05:07");
  assert.equal(tickText(at, 300), "18:05");
  assert.equal(tickText(at, 3600), "18:05");
  assert.equal(tickText(at, 2 * 86_400), "11-24 18:05");
});

test("a gap stands between two samples that are too far apart", () => {
  const shown = withGaps([{ at: 1 }, { at: 2 }, { at: 9 }], 5);
  assert.deepEqual(shown, [{ at: 1 }, { at: 2 }, { at: 2.5, isGap: true }, { at: 9 }]);
});
