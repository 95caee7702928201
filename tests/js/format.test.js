import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bytes,
  count,
  dateAndTime,
  duration,
  mbps,
  moment,
  ms,
  percent,
  playingTime,
  secondsBetween,
  timeOfDay,
  times,
  UNKNOWN,
  withUnit,
} from "../../app/static/js/format.js";

test("an unknown figure is a dash, and zero is 0", () => {
  for (const shown of [mbps, ms, percent, times, count, bytes, duration]) {
    for (const unknown of [null, undefined, Number.NaN]) assert.equal(shown(unknown), UNKNOWN);
  }
  assert.equal(mbps(0), "0.00");
  assert.equal(ms(0), "0");
  assert.equal(percent(0), "0.0");
  assert.equal(count(0), "0");
  assert.equal(bytes(0), "0 B");
  assert.equal(withUnit(UNKNOWN, "ms"), UNKNOWN);
  assert.equal(withUnit("5", "ms"), "5 ms");
});

test("a short file has its tenths of a second, an unknown duration is a dash", () => {
  assert.equal(playingTime(19.2), "19.2 s");
  assert.equal(playingTime(59.97), "00:01:00");
  assert.equal(playingTime(3661.4), "01:01:01");
  assert.equal(playingTime(null), UNKNOWN);
});

test("small figures keep the digits that matter", () => {
  assert.equal(ms(0.04), "0.04");
  assert.equal(ms(4.26), "4.3");
  assert.equal(ms(42.6), "43");
  assert.equal(percent(0.04), "0.04");
  assert.equal(percent(0.4), "0.4");
  assert.equal(times(2.54), "2.5");
  assert.equal(times(100), "> 99");
  assert.equal(times(667), "> 99");
});

test("large figures stay readable", () => {
  assert.equal(mbps(99.999), "100.00");
  assert.equal(mbps(123.456), "123.5");
  assert.equal(count(1234567), "1\u202f234\u202f567");
  assert.equal(bytes(999), "999 B");
  assert.equal(bytes(1_500_000), "1.5 MB");
});

test("times are UTC, with the date only when it is another day", () => {
  assert.equal(timeOfDay(0), "00:00:00");
  assert.equal(dateAndTime("2026-11-24T18:00:05Z"), "2026-11-24 18:00:05");
  assert.equal(moment("2026-11-24T18:00:05Z", "2026-11-24T20:00:00Z"), "18:00:05");
  assert.equal(moment("2026-11-23T18:00:05Z", "2026-11-24T20:00:00Z"), "11-23 18:00:05");
  assert.equal(secondsBetween("2026-11-24T18:00:00Z", "2026-11-24T18:01:05Z"), 65);
  assert.equal(duration(65), "00:01:05");
  assert.equal(duration(3 * 86400 + 6 * 3600 + 125), "3 d 06:02");
});
