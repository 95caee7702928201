// The tables of a stream's page: notes, peers, settings, counters, source and worker.
import { icon, make, setText, spoken } from "./dom.js";
import {
  bytes,
  count,
  dateAndTime,
  duration,
  mbps,
  ms,
  percent,
  secondsBetween,
  times,
  UNKNOWN,
  withUnit,
} from "./format.js";

/** Replace a node's children only if their data has changed. */
export function redraw(node, source, build) {
  const shown = JSON.stringify(source);
  if (node.dataset.shown === shown) return;
  node.dataset.shown = shown;
  node.replaceChildren(...build());
}

/** The notes at the top: the fault and its remedy, advice, notices of the engine. */
export function showNotes(node, stream, advice) {
  const { severity, reason_text: reason, remedy, notices, direct_engine_offer: offer } = stream;
  const advised = advice && !advice.is_enough ? advice : null;
  redraw(node, [severity, reason, remedy, notices, offer, advised], () => {
    const notes = [];
    if (reason) {
      const kind = severity === "fault" ? "fault" : "attention";
      notes.push(
        note(kind, "fa-solid fa-circle-exclamation", `${reason[0].toUpperCase()}${reason.slice(1)}.`, remedy ?? ""),
      );
    }
    if (advised) notes.push(adviceNote(advised));
    for (const text of notices) notes.push(note("attention", "fa-solid fa-circle-info", "", text));
    if (offer) notes.push(engineNote(offer));
    return notes;
  });
}

function note(kind, name, title, text, ...more) {
  return make(
    "div",
    { class: `note ${kind}` },
    icon(`${name} ${kind === "fault" ? "bad" : "warn"}`),
    " ",
    make("b", {}, title),
    title ? " " : "",
    text,
    ...more,
  );
}

function adviceNote(advice) {
  const words = `Apply ${advice.latency_ms} ms and ${advice.overhead_percent} % (restarts the stream)`;
  return note(
    "attention",
    "fa-solid fa-lightbulb",
    "Latency and overhead.",
    `${advice.sentence} `,
    make(
      "button",
      {
        type: "button",
        class: "btn btn-q",
        id: "apply-advice",
        "data-latency-ms": advice.latency_ms,
        "data-overhead-percent": advice.overhead_percent,
      },
      words,
    ),
  );
}

function engineNote(text) {
  const button = make(
    "button",
    { type: "button", class: "btn btn-q", id: "use-direct" },
    "Change to the direct engine",
  );
  return note("attention", "fa-solid fa-shuffle", "Engine.", `${text} `, button);
}

const CONNECTED = ["fa-solid fa-circle-check", "good", "Connected"];
const REFUSED = ["fa-solid fa-ban", "bad", "Refused"];
const NO_ONE = {
  waiting: ["fa-regular fa-circle", "idle", "Waiting"],
  starting: ["fa-regular fa-circle", "idle", "Waiting"],
  stalled: ["fa-regular fa-circle", "idle", "Waiting"],
  backing_off: ["fa-solid fa-circle-xmark", "bad", "Error"],
  failed: ["fa-solid fa-circle-xmark", "bad", "Error"],
};

const stateMark = ([name, colour, words]) => make("span", { class: `state ${colour}` }, icon(name), words);

/** The connected, waiting and refused peers. */
export function showPeers(node, countNode, stream) {
  setText(countNode, `${stream.peers.length} connected`);
  redraw(node, [stream.peers, stream.refusals, stream.phase, stream.reason_text], () => {
    const nodes = stream.peers.map(peerBox);
    if (!nodes.length) nodes.push(nobodyBox(stream));
    return [...nodes, ...stream.refusals.map(refusalBox)];
  });
}

function nobodyBox(stream) {
  const mark = NO_ONE[stream.phase];
  // A source that delivers nothing is not a fault of the far end.
  const reason = stream.phase === "stalled" ? null : stream.reason_text;
  const text = reason ?? (mark ? stream.nobody_text : "Off air");
  return make(
    "div",
    { class: "peer" },
    make("div", { class: "peer-head" }, ...(mark ? [stateMark(mark)] : []), make("span", { class: "dim" }, text)),
  );
}

function refusalBox(refusal) {
  return make(
    "div",
    { class: "peer" },
    make(
      "div",
      { class: "peer-head" },
      stateMark(REFUSED),
      make("span", { class: "num" }, refusal.address),
      make("span", { class: "dim" }, refusal.reason_text ?? "reason unknown"),
      make(
        "span",
        {
          class: "num dim ms-auto",
          title: `First ${dateAndTime(refusal.first_at)}, last ${dateAndTime(refusal.last_at)} UTC`,
        },
        `${count(refusal.count)} ×`,
      ),
    ),
  );
}

function peerBox(peer) {
  const last = peer.last_second;
  const pairs = [
    ["Payload", withUnit(mbps(peer.payload_mbps), "Mb/s")],
    ["RTT", withUnit(ms(peer.rtt_ms), "ms")],
    ["Latency", peer.negotiated_latency_ms === null ? UNKNOWN : `${peer.negotiated_latency_ms} ms`],
    ["Latency / RTT", withUnit(times(peer.latency_rtt_ratio), "×")],
    ["Resent, total", withUnit(percent(peer.retransmitted_percent), "%")],
    ["Resent, now", withUnit(percent(last?.retransmitted_percent), "%")],
    ["Lost at receiver (est.)", peer.lost_text],
    ["Sender drops", count(peer.packets_dropped)],
    ["Send buffer", peer.send_buffer_ms === null ? UNKNOWN : `${peer.send_buffer_ms} ms`],
    ["In flight", count(peer.flight_packets)],
    ["Loss reports", count(peer.naks)],
    ["Capacity", withUnit(mbps(peer.link_capacity_mbps), "Mb/s")],
    ["libsrt", peer.peer_version ?? UNKNOWN],
  ];
  return make(
    "div",
    { class: "peer" },
    make(
      "div",
      { class: "peer-head" },
      stateMark(CONNECTED),
      make("span", { class: "num" }, peer.address),
      ...(peer.stream_id ? [make("span", { class: "dim" }, peer.stream_id)] : []),
      make("span", { class: "num dim ms-auto", title: "Since the handshake" }, duration(peer.connected_s)),
    ),
    make(
      "dl",
      { class: "pairs" },
      ...pairs.map(([name, value]) =>
        make("div", {}, make("dt", {}, name), make("dd", { class: "num", "data-live": "" }, value)),
      ),
    ),
  );
}

/** Requested, applied and negotiated settings; a difference is marked and explained. */
export function showSettings(node, settings) {
  redraw(node, settings, () =>
    settings.map((setting) => {
      const mark =
        setting.differs || setting.note
          ? [
              " ",
              make(
                "span",
                { class: "differs", title: setting.note ?? "Not what was asked" },
                icon("fa-solid fa-circle-info"),
                spoken(setting.note ?? "not as requested"),
              ),
            ]
          : [];
      const value = (text, differs) => make("td", { class: `r num${differs ? " differs" : ""}` }, text ?? "");
      const applied = value(setting.applied ?? UNKNOWN, setting.differs && setting.negotiated === null);
      const negotiated = value(setting.negotiated, setting.differs && setting.negotiated !== null);
      (setting.negotiated === null ? applied : negotiated).append(...mark);
      return make(
        "tr",
        {},
        make("th", { scope: "row" }, setting.name),
        value(setting.asked, false),
        applied,
        negotiated,
      );
    }),
  );
}

/** The stream's totals, each with its definition on hover. */
export function showCounters(node, { totals }) {
  redraw(node, totals, () =>
    [
      ["Packets sent", count(totals.packets_sent_unique), "SRT data packets, each counted once"],
      [
        "Packets resent",
        count(totals.packets_retransmitted),
        "Packets that receivers requested again. They may still arrive too late",
      ],
      ["Resent", withUnit(percent(totals.retransmitted_percent), "%"), "Retransmitted / unique packets"],
      [
        "Sender drops",
        count(totals.packets_dropped),
        "Dropped by the sender as too late; it drops nothing before about 1 s. " +
          "Only the receiver knows what it finally lost",
      ],
      ["Payload", bytes(totals.payload_bytes), "Transport stream delivered, without headers and retransmissions"],
      [
        "On the wire",
        bytes(totals.wire_bytes),
        "With 44 bytes of IPv4, UDP and SRT header per packet, and retransmissions",
      ],
    ].map(([name, value, meaning]) =>
      make(
        "tr",
        { title: meaning },
        make("th", { scope: "row" }, name),
        make("td", { class: "r num", "data-live": "" }, value),
        make("td", { class: "dim small" }, meaning),
      ),
    ),
  );
}

/** The input, and the process that carries the stream. */
export function showWorker(node, stream, now) {
  const { input, worker } = stream;
  const rows = [["Source", stream.source_text]];
  if (stream.file_bitrate_mbps !== null) rows.push(["File bitrate", withUnit(mbps(stream.file_bitrate_mbps), "Mb/s")]);
  if (input) {
    rows.push(
      ["Input", withUnit(mbps(input.mbps), "Mb/s")],
      ["Last packet", input.last_packet_age_s === null ? UNKNOWN : `${input.last_packet_age_s.toFixed(1)} s ago`],
    );
    rows.push(["Continuity errors", count(input.continuity_errors_total)]);
    for (const counter of input.counters) rows.push([counter.name, count(counter.count)]);
  }
  if (worker) {
    rows.push([
      "Worker",
      `pid ${worker.pid}${worker.started_at ? `, up ${duration(secondsBetween(worker.started_at, now))}` : ""}`,
    ]);
    rows.push(["CPU", worker.cpu_percent === null ? UNKNOWN : `${percent(worker.cpu_percent)} % of a core`]);
    rows.push(["Memory", worker.memory_mb === null ? UNKNOWN : `${worker.memory_mb} MB`]);
  }
  redraw(node, rows, () =>
    rows.map(([name, value]) =>
      make("tr", {}, make("th", { scope: "row" }, name), make("td", { class: "r num text-wrap text-break" }, value)),
    ),
  );
}
