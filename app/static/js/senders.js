// How to set up a sender at the far end, for each kind. Pure: texts made from the server's data of the far end.
import { encryptionRows, ffmpegOptions, ffmpegUrl, liveTransmitUrl, placeRows, shell, table } from "./far_end_parts.js";

/** The cards by the kind of sender, each a text to be copied. `end` is made by `describe` in receivers.js. */
export function senderCards(end) {
  return {
    encoder: encoder(end),
    ffmpeg: ffmpeg(end),
    "srt-live-transmit": liveTransmit(end),
    obs: obs(end),
    firewall: firewall(end),
  };
}

function encoder(end) {
  return table([
    ...placeRows(end),
    ["Latency", `${end.latencyMs} ms`],
    ...encryptionRows(end),
    ["Payload", "MPEG-TS, 7 × 188 bytes"],
  ]);
}

function ffmpeg(end) {
  return `ffmpeg -re -i input.ts -c copy -f mpegts ${ffmpegOptions(end)}${shell(ffmpegUrl(end))}`;
}

function liveTransmit(end) {
  if (end.passphrase?.includes("&")) return "srt-live-transmit cannot be given a passphrase that holds &.";
  return `srt-live-transmit udp://127.0.0.1:5004 ${shell(liveTransmitUrl(end))}`;
}

function obs(end) {
  const isPlain = !end.passphrase || /^[\w.~-]+$/.test(end.passphrase);
  const secret = end.passphrase && isPlain ? `&passphrase=${end.passphrase}&pbkeylen=${end.keyBits / 8}` : "";
  const host = end.weListen ? end.host : "0.0.0.0";
  const mode = end.weListen ? "caller" : "listener";
  const lines = [
    "Settings → Stream → Service: Custom",
    table([
      ["Server", `srt://${host}:${end.port}?mode=${mode}&latency=${end.latencyMs * 1000}${secret}`],
      ["Stream key", "empty"],
    ]),
  ];
  if (!isPlain)
    lines.push(
      "OBS accepts the passphrase only inside the address: show it first, or choose one with letters and digits only.",
    );
  return lines.join("\n");
}

function firewall(end) {
  const [where, back] = end.weListen
    ? ["On this host, allow incoming:", "At the far end, allow outgoing:"]
    : ["At the far end, allow incoming:", "On this host, allow outgoing:"];
  return [
    where,
    `  nft add rule inet filter input udp dport ${end.port} accept`,
    back,
    `  UDP to ${end.host} port ${end.port}, and its answers`,
  ].join("\n");
}
