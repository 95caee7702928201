// Parts of the texts for the far end, whether it sends or receives. `end` is made by `describe` in receivers.js.

/** Quote an argument for a shell. */
export const shell = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** Names and values in two columns. */
export function table(rows) {
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  return rows.map(([name, value]) => `${name.padEnd(width)}${value}`).join("\n");
}

/** The address as rows: where the far end calls, or on which port it waits. */
export function placeRows(end) {
  const [mode, name] = end.weListen ? ["Caller", "Address"] : ["Listener", "Called as"];
  return [
    ["Mode", mode],
    [name, end.host],
    ["Port", `${end.port} (UDP)`],
  ];
}

/** Encryption and passphrase as rows. */
export function encryptionRows(end) {
  if (!end.keyBits) return [["Encryption", "none"]];
  return [
    ["Encryption", `AES-${end.keyBits}`],
    ["Passphrase", end.passphrase],
  ];
}

/** The address for ffmpeg and ffplay, which take the latency in microseconds. */
export function ffmpegUrl(end) {
  const [host, mode] = end.weListen ? [end.host, "caller"] : ["0.0.0.0", "listener"];
  return `srt://${host}:${end.port}?mode=${mode}&latency=${end.latencyMs * 1000}`;
}

/** The passphrase as options of ffmpeg and ffplay. */
export function ffmpegOptions(end) {
  return end.passphrase ? `-passphrase ${shell(end.passphrase)} -pbkeylen ${end.keyBits / 8} ` : "";
}

/** The address with the passphrase for srt-live-transmit, which takes the latency in milliseconds. */
export function liveTransmitUrl(end) {
  const secret = end.passphrase ? `&passphrase=${end.passphrase}&pbkeylen=${end.keyBits / 8}` : "";
  const [host, mode] = end.weListen ? [end.host, "caller"] : ["", "listener"];
  return `srt://${host}:${end.port}?mode=${mode}&latency=${end.latencyMs}${secret}`;
}
