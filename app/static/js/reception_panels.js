// The panels of a receive stream's page, in the order of an engineer's questions.
import { icon, make, setText } from "./dom.js";
import { bytes, count, duration, ms, percent, secondsBetween, timeOfDay, UNKNOWN, withUnit } from "./format.js";
import { redraw } from "./stream_panels.js";

const ERRORS = {
  lost: ["Lost packets", "Seconds in which packets were lost for good"],
  frozen: ["Frozen output", "Seconds in which the output paused and its packets came late"],
  undecryptable: ["Undecryptable", "Seconds in which packets could not be decrypted"],
  continuity_network: ["Continuity, network", "Seconds with continuity errors together with lost packets: the network"],
  continuity_encoder: [
    "Continuity, encoder",
    "Seconds with continuity errors without a lost packet: the far end's encoder",
  ],
  silent: ["Silent sender", "Seconds in which the sender sent nothing"],
  disconnected: ["No connection", "Seconds without a connection after the first one"],
  held_up: ["This host busy", "Seconds in which this host was too busy to receive in time"],
};
const STATES = {
  good: ["fa-solid fa-circle-check", "good", "good"],
  fault: ["fa-solid fa-circle-xmark", "bad", "error"],
  past: ["fa-solid fa-circle-exclamation", "warn", "earlier"],
  absent: ["fa-regular fa-circle", "idle", "absent"],
  unmeasured: ["fa-regular fa-circle", "idle", "not measured"],
};

function rowsOf(pairs) {
  return pairs.map(([name, value, meaning]) =>
    make(
      "tr",
      { title: meaning ?? null },
      make("th", { scope: "row" }, name),
      make("td", { class: "num", "data-live": "" }, value),
    ),
  );
}

/** Whether the stream is there: the sender, the encryption, refused callers. */
export function showThere(node, stream) {
  const [peer] = stream.peers;
  const rows = peer
    ? [
        ["Sender", peer.address],
        ["Connected for", duration(peer.connected_s)],
        [
          "Encryption",
          peer.key_bits ? `AES-${peer.key_bits}, ${peer.encryption_state}` : (peer.encryption_state ?? UNKNOWN),
        ],
        ["Sender's libsrt", peer.peer_version ?? UNKNOWN],
        ["Stream ID", peer.stream_id || "empty"],
      ]
    : [["Sender", stream.reason_text ?? stream.nobody_text]];
  for (const refusal of stream.refusals)
    rows.push([`Refused ${refusal.address}`, `${refusal.reason_text ?? "reason unknown"}, ${count(refusal.count)} ×`]);
  redraw(node, rows, () => rowsOf(rows));
}

/** Whether the stream arrives completely: lost and recovered packets, and the seconds with errors. */
export function showWhole(node, reception, totals) {
  const rows = [
    ["Packets received", count(reception.packets_unique), "SRT data packets, each counted once"],
    ["Recovered", count(reception.packets_recovered), "Lost on the path and retransmitted in time"],
    ["Lost for good", count(reception.packets_dropped), "Did not arrive, or arrived too late"],
    ["Belated", count(reception.packets_belated), "Arrived after their play-out time, or twice; harmless"],
    ["Undecryptable", count(reception.packets_undecryptable), "Could not be decrypted: the passphrases differ"],
    ["Continuity errors", count(reception.continuity_errors), "In the transport stream that came out"],
    ["Payload", bytes(totals.payload_bytes), "Transport stream that came out since the stream was ordered"],
  ];
  for (const [kind, seconds] of Object.entries(reception.error_seconds)) {
    const [name, meaning] = ERRORS[kind] ?? [kind, ""];
    rows.push([
      `Error-seconds: ${name.toLowerCase()}`,
      `${count(seconds)} of ${count(reception.seconds)}, last ${timeOfDay(reception.last_errors[kind])}`,
      meaning,
    ]);
  }
  redraw(node, rows, () => rowsOf(rows));
}

/** Whether packets arrive in time: lateness, gaps, headroom and the path. */
export function showTime(node, reception) {
  const rows = [...pauseRows(reception), ...bufferRows(reception), ...jitterRows(reception)];
  redraw(node, rows, () => rowsOf(rows));
}

function pauseRows(reception) {
  const late = reception.lateness_ms;
  const at = (when) => (when ? ` at ${timeOfDay(when)}` : "");
  return [
    [
      "Lateness p50 / p99 / max",
      late ? `${ms(late.p50)} / ${ms(late.p99)} / ${ms(late.max)} ms` : UNKNOWN,
      "Over the last minute, compared with the SRT timestamps plus the latency; up to 10 ms is the reading interval",
    ],
    ["Longest gap", `${ms(reception.longest_gap_ms)} ms${at(reception.longest_gap_at)}`, "Longest pause of the output"],
    [
      "Longest freeze",
      reception.longest_freeze_ms ? `${ms(reception.longest_freeze_ms)} ms${at(reception.longest_freeze_at)}` : "none",
      "Longest pause after which packets were late: the picture froze",
    ],
  ];
}

function bufferRows({ headroom_ms, lowest_headroom_ms, latency_ms, rtt_ms: rtt }) {
  return [
    [
      "Headroom now / lowest",
      `${headroom_ms ?? UNKNOWN} / ${lowest_headroom_ms ?? UNKNOWN} of ${latency_ms ?? UNKNOWN} ms`,
      "Fill level of the receive buffer: the latency that is left",
    ],
    [
      "RTT min / mean / max",
      rtt ? `${ms(rtt.min)} / ${ms(rtt.avg)} / ${ms(rtt.max)} ms` : UNKNOWN,
      "Of the last second",
    ],
  ];
}

function jitterRows(reception) {
  return [
    [
      "TS-DF",
      withUnit(ms(reception.ts_df_ms), "ms"),
      "Delay factor at the output over the last second, by SRT timestamps (EBU Tech 3337)",
    ],
    ["Jitter", withUnit(ms(reception.jitter_ms), "ms"), "RFC 3550, at the output"],
    ["Reordering", withUnit(count(reception.reorder_packets), "packets"), "Longest distance of a reordered packet"],
  ];
}

/** The contents of the stream: a line in words, and the PIDs. */
export function showContent(words, node, reception) {
  const { content, services, pids } = reception;
  const names = new Map(services.map((service) => [service.number, service.name || `service ${service.number}`]));
  setText(words, content ? contentWords(content) : "");
  redraw(node, [pids, services], () =>
    pids.map((pid) =>
      make(
        "tr",
        {},
        make("td", { class: "num" }, String(pid.pid)),
        make("td", {}, names.get(pid.service) ?? ""),
        make(
          "td",
          {},
          [pid.kind, pid.is_pcr ? "PCR" : "", pid.is_scrambled ? "scrambled" : "", pid.has_captions ? "captions" : ""]
            .filter(Boolean)
            .join(", "),
        ),
        make("td", {}, pid.codec),
        make("td", {}, pid.language),
        make("td", { class: "r num" }, pid.mbps.toFixed(3)),
        make("td", { class: `r num${pid.continuity_errors ? " warn" : ""}` }, count(pid.continuity_errors)),
      ),
    ),
  );
}

function contentWords(content) {
  const parts = [content.kind];
  if (content.detail) parts.push(content.detail);
  if (content.mbps !== null)
    parts.push(
      `${content.mbps.toFixed(2)} Mb/s, ${content.mbps_without_nulls?.toFixed(2) ?? UNKNOWN} without null packets`,
    );
  if (content.is_constant_bitrate !== null) parts.push(content.is_constant_bitrate ? "constant rate" : "variable rate");
  if (content.cues)
    parts.push(`${count(content.cues)} SCTE-35 cues, last ${timeOfDay(content.last_cue)}: ${content.last_cue_text}`);
  return parts.join(" · ");
}

/** The outputs of the stream: rows for the worker's table. */
function outputRows({ recording, forward }) {
  const rows = [];
  if (recording) {
    rows.push(
      ["Recording", `${recording.state}, ${bytes(recording.bytes_total)} in ${count(recording.files)} files`],
      ["File", recording.file ?? UNKNOWN],
    );
  }
  if (forward)
    rows.push([
      "Forwarded",
      `${count(forward.datagrams)} datagrams, ${count(forward.datagrams_missing)} not sent` +
        (forward.last_error ? `: ${forward.last_error}` : ""),
    ]);
  return rows;
}

function spellWords({ since, spells, seconds, last }) {
  if (since) return `now, since ${timeOfDay(since)}`;
  return spells ? `${count(spells)} ×, ${Math.round(seconds)}  s in total, until ${timeOfDay(last)}` : "no";
}

const lufs = (value, unit) => (value === null ? UNKNOWN : `${value.toFixed(1)} ${unit}`);

function decoderRows(name, { state, restarts, bytes_missing }) {
  const missing = bytes_missing ? `, ${bytes(bytes_missing)} skipped: too slow` : "";
  return restarts || missing || state !== "decoding"
    ? [
        [
          name,
          `${state}${restarts ? `, ${count(restarts)} restarts` : ""}${missing}`,
          "The reception does not depend on it",
        ],
      ]
    : [];
}

/** Whether it looks and sounds right: the newest key frame, black, frozen, silent, and EBU R 128. */
export function showWatching(words, node, image, { picture, loudness }, address) {
  const rows = [...(picture ? pictureRows(picture) : []), ...(loudness ? loudnessRows(loudness) : [])];
  const pids = [picture?.pid && `, video PID ${picture.pid}`, loudness?.pid && `, audio PID ${loudness.pid}`];
  const decoders = `by ffmpeg${pids.filter(Boolean).join("")}`;
  setText(words, rows.length ? decoders : "Not enabled: start the stream with picture or loudness");
  redraw(node, rows, () => rowsOf(rows));
  image.classList.toggle("d-none", !picture?.taken);
  if (picture?.taken && image.dataset.taken !== picture.taken) {
    image.dataset.taken = picture.taken;
    image.src = `${address}?taken=${encodeURIComponent(picture.taken)}`;
  }
}

function pictureRows(picture) {
  return [
    ["Picture black", spellWords(picture.black), "98 % of the pixels darker than 10 % for 10 s or longer"],
    ["Picture frozen", spellWords(picture.frozen), "No change above 0.1 % of full scale for 10 s or longer"],
    ["Picture of", picture.taken ? timeOfDay(picture.taken) : UNKNOWN, "When the newest key frame was decoded"],
    ...decoderRows("Picture decoder", picture.decoder),
  ];
}

function loudnessRows(loudness) {
  const since = loudness.since ? ` since ${timeOfDay(loudness.since)}` : "";
  return [
    ["Sound silent", spellWords(loudness.silent), "All channels below -60 dBFS for 10 s or longer"],
    [
      "Momentary / short-term",
      `${lufs(loudness.momentary_lufs, "LUFS")} / ${lufs(loudness.short_term_lufs, "LUFS")}`,
      "EBU R 128: over 400 ms and over 3 s",
    ],
    ["Integrated", `${lufs(loudness.integrated_lufs, "LUFS")}${since}`, "EBU R 128, gated"],
    ["Loudness range", lufs(loudness.range_lu, "LU"), "EBU Tech 3342"],
    ["Highest true peak", lufs(loudness.true_peak_dbtp, "dBTP"), "Of all channels since the integration began"],
    ...decoderRows("Loudness decoder", loudness.decoder),
  ];
}

/** Whether the stream conforms to the standard: the indicators of TR 101 290. */
export function showIndicators(node, indicators) {
  redraw(node, indicators, () =>
    Object.values(indicators).map((indicator) => {
      const [mark, colour, word] = STATES[indicator.state] ?? STATES.unmeasured;
      const detail = indicator.note || indicator.detail;
      return make(
        "tr",
        {},
        make(
          "td",
          {},
          `${indicator.priority}. ${indicator.title}`,
          ...(detail ? [make("span", { class: "detail" }, detail)] : []),
        ),
        make("td", {}, make("span", { class: `state ${colour}` }, icon(mark), word)),
        make("td", { class: "r num" }, count(indicator.count)),
        make("td", { class: "r num" }, count(indicator.error_seconds)),
        make("td", { class: "num" }, indicator.last ? timeOfDay(indicator.last) : ""),
      );
    }),
  );
}

/** The process that receives. */
export function showReceiver(node, { worker, reception }, now) {
  const rows = worker
    ? [
        [
          "Worker",
          `pid ${worker.pid}${worker.started_at ? `, up ${duration(secondsBetween(worker.started_at, now))}` : ""}`,
        ],
        ["CPU", worker.cpu_percent === null ? UNKNOWN : `${percent(worker.cpu_percent)} % of a core`],
        ["Memory", worker.memory_mb === null ? UNKNOWN : `${worker.memory_mb} MB`],
      ]
    : [["Worker", "none"]];
  if (worker && reception) rows.push(...outputRows(reception));
  redraw(node, rows, () => rowsOf(rows));
}
