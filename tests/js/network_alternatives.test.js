import assert from "node:assert/strict";
import { test } from "node:test";
import { formAddress } from "../../app/static/js/network_alternatives.js";

const SETTINGS = { latency_ms: 200, overhead_percent: 25 };
const query = (address) => Object.fromEntries(new URL(address, "http://localhost").searchParams);

test("a new listener gets the settings and the test's origin", () => {
  const done = { order: { mode: "automatic" }, target: { host: "192.0.2.1" }, finished_at: "2026-11-24T18:00:05.7Z" };
  const address = formAddress(done, SETTINGS, "listener");
  assert.ok(address.startsWith("/?"));
  assert.deepEqual(query(address), {
    latency_ms: "200",
    overhead_percent: "25",
    tested_host: "192.0.2.1",
    tested_at: "1795543205",
  });
});

test("a new caller gets the host only where the operator entered it", () => {
  const entered = { order: { mode: "manual", host: "far.example" }, target: null, finished_at: null };
  assert.ok(formAddress(entered, SETTINGS, "caller").startsWith("/caller?"));
  assert.equal(query(formAddress(entered, SETTINGS, "caller")).host, "far.example");
  const regional = { order: { mode: "regional" }, target: { host: "192.0.2.1" }, finished_at: null };
  assert.equal("host" in query(formAddress(regional, SETTINGS, "caller")), false);
});
