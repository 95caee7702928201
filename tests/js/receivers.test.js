import assert from "node:assert/strict";
import { test } from "node:test";
import { addressesOf, cards, describe, MASK, qrText } from "../../app/static/js/receivers.js";

const LISTENER = { calls_us: true, host: null, port: 10001, latency_ms: 200, key_bits: null };
const CALLER = { calls_us: false, host: "2001:db8::1", port: 9000, latency_ms: 300, key_bits: 256 };

test("the far end of our listener calls, and waits as a listener for our caller", () => {
  assert.equal(qrText(describe(LISTENER, "192.0.2.1", null)), "srt://192.0.2.1:10001?mode=caller&latency=200");
  assert.equal(qrText(describe(CALLER, "192.0.2.1", null)), "srt://[2001:db8::1]:9000?mode=listener&latency=300");
});

test("a hidden passphrase is masked, and no QR code holds it", () => {
  const end = describe(CALLER, "192.0.2.1", null);
  assert.equal(end.passphrase, MASK);
  assert.ok(!qrText(end).includes("passphrase"));
});

test("ffmpeg takes microseconds, libsrt's own tool milliseconds", () => {
  const texts = cards(describe(LISTENER, "192.0.2.1", null));
  assert.match(texts.ffplay, /latency=200000'/);
  assert.match(texts["srt-live-transmit"], /latency=200' udp/);
});

test("a quote in a passphrase cannot end the shell's argument", () => {
  const texts = cards(describe(CALLER, "192.0.2.1", "it's secret"));
  assert.ok(texts.ffplay.includes("-passphrase 'it'\\''s secret' -pbkeylen 32"));
  assert.ok(texts["srt-live-transmit"].includes("&passphrase=it'\\''s secret&pbkeylen=32'"));
});

test("a passphrase that would end a parameter of a URL is given to no program by URL", () => {
  const texts = cards(describe(CALLER, "192.0.2.1", "it's & secret"));
  assert.ok(texts.ffplay.includes("-passphrase 'it'\\''s & secret' -pbkeylen 32"));
  assert.match(texts["srt-live-transmit"], /cannot be given/);
  assert.match(texts.obs, /a URL cannot/);
});

test("a passphrase that srt-live-transmit's versions read differently is named, a plain percent sign is not", () => {
  const card = (passphrase) => cards(describe(CALLER, "192.0.2.1", passphrase))["srt-live-transmit"];
  assert.match(card("one%20two three"), /Generate another/);
  assert.match(card("100 % of it all"), /^srt-live-transmit 'srt/);
});

test("the page's own address is offered first, unless only this host can use it", () => {
  assert.deepEqual(addressesOf("mcr.example", ["192.0.2.1", "mcr.example"]), ["mcr.example", "192.0.2.1"]);
  assert.deepEqual(addressesOf("localhost", ["192.0.2.1"]), ["192.0.2.1", "localhost"]);
});
