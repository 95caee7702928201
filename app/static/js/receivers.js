// How to set up a receiver, for each kind. Pure: texts made from what the server reports about the far end. The command
// lines were tried with ffmpeg 5.1, srt-live-transmit 1.5.1 and VLC 3.0.24; none of them decodes %xx, and `&` would
// end the passphrase.
import { encryptionRows, ffmpegOptions, ffmpegUrl, liveTransmitUrl, placeRows, shell, table } from "./far_end_parts.js";

export const MASK = "••••••••••••";

const bracketed = (host) => (host.includes(":") && !host.startsWith("[") ? `[${host}]` : host);

/** The addresses of this host to offer: first the page's own, unless only this host can use it. */
export function addressesOf(pageHost, known) {
  const isLocal = ["localhost", "127.0.0.1", "[::1]"].includes(pageHost);
  return [...new Set(isLocal ? [...known, pageHost] : [pageHost, ...known])];
}

/** The settings for the far end: `address` is this host's, `passphrase` is null while it is hidden. */
export function describe(farEnd, address, passphrase) {
  return {
    weListen: farEnd.calls_us,
    port: farEnd.port,
    host: bracketed(farEnd.host ?? address),
    latencyMs: farEnd.latency_ms,
    keyBits: farEnd.key_bits,
    passphrase: farEnd.key_bits ? (passphrase ?? MASK) : null,
  };
}

/** The address for a QR code: latency in ms, the passphrase only if it is shown. */
export function qrText(end) {
  const parts = [`mode=${end.weListen ? "caller" : "listener"}`, `latency=${end.latencyMs}`];
  if (end.passphrase && end.passphrase !== MASK)
    parts.push(`passphrase=${encodeURIComponent(end.passphrase)}`, `pbkeylen=${end.keyBits / 8}`);
  return `srt://${end.host}:${end.port}?${parts.join("&")}`;
}

/** The cards by the kind of receiver, each a text to be copied. */
export function cards(end) {
  return {
    decoder: decoder(end),
    ffplay: ffplay(end),
    vlc: vlc(end),
    "srt-live-transmit": liveTransmit(end),
    obs: obs(end),
    firewall: firewall(end),
  };
}

function decoder(end) {
  return table([
    ...placeRows(end),
    ["Latency", `${end.latencyMs} ms or more`],
    ...encryptionRows(end),
    ["Stream ID", "empty"],
    ["Payload", "MPEG-TS, 7 × 188 bytes"],
  ]);
}

function ffplay(end) {
  return `ffplay ${ffmpegOptions(end)}${shell(ffmpegUrl(end))}`;
}

function vlc(end) {
  const options = end.passphrase ? `--passphrase ${shell(end.passphrase)} --key-length=${end.keyBits / 8} ` : "";
  const url = end.weListen
    ? `srt://${end.host}:${end.port}?latency=${end.latencyMs}`
    : `srt://@:${end.port}?mode=listener&latency=${end.latencyMs}`;
  return `vlc ${options}${shell(url)}`;
}

function liveTransmit(end) {
  if (end.passphrase?.includes("&")) return "srt-live-transmit cannot be given a passphrase that holds &.";
  // libsrt 1.5.4 decodes %xx and 1.5.1 does not: no address suits both.
  if (/%[0-9a-f]{2}/i.test(end.passphrase ?? "")) {
    return (
      "srt-live-transmit reads a passphrase that holds % and two hexadecimal digits differently " +
      "from version to version. Generate another."
    );
  }
  return `srt-live-transmit ${shell(liveTransmitUrl(end))} udp://127.0.0.1:5004`;
}

function obs(end) {
  const mode = end.weListen ? "caller" : "listener";
  const isPlain = !end.passphrase || end.passphrase === MASK || /^[\w.~-]+$/.test(end.passphrase);
  const secret = end.passphrase && isPlain ? `&passphrase=${end.passphrase}&pbkeylen=${end.keyBits / 8}` : "";
  const host = end.weListen ? end.host : "0.0.0.0";
  const lines = [
    "Sources → + → Media Source, Local File off",
    table([
      ["Input", `srt://${host}:${end.port}?mode=${mode}&latency=${end.latencyMs * 1000}${secret}`],
      ["Input format", "mpegts"],
    ]),
  ];
  if (!isPlain)
    lines.push(
      "OBS needs the passphrase in the URL, and this one has characters that a URL cannot carry. Generate another.",
    );
  return lines.join("\n");
}

function firewall(end) {
  if (end.weListen) {
    return [
      "On this host, allow incoming:",
      `  nft add rule inet filter input udp dport ${end.port} accept`,
      "At the far end, allow outgoing:",
      `  UDP to ${end.host} port ${end.port}, and its answers`,
    ].join("\n");
  }
  return [
    "At the far end, allow incoming:",
    `  nft add rule inet filter input udp dport ${end.port} accept`,
    "  behind NAT: forward that UDP port to the receiver",
    "On this host, allow outgoing:",
    `  UDP to ${end.host} port ${end.port}, and its answers`,
  ].join("\n");
}
