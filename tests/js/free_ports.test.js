import assert from "node:assert/strict";
import { test } from "node:test";
import { portsToOffer } from "../../app/static/js/free_ports.js";

test("the free ports are offered as they are", () => {
  assert.deepEqual(portsToOffer([10001, 10002], { chosen: "10001", isFaulty: true }), [10001, 10002]);
  assert.deepEqual(portsToOffer([10001, 10002], { chosen: "", isFaulty: true }), [10001, 10002]);
});

test("a chosen port that was taken stays only while its fault is shown", () => {
  assert.deepEqual(portsToOffer([10002], { chosen: "10001", isFaulty: true }), [10001, 10002]);
  assert.deepEqual(portsToOffer([10002], { chosen: "10001", isFaulty: false }), [10002]);
});
