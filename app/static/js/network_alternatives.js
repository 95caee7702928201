// The settings that a network test offers: a row each, with the links that fill in the form of a new stream.
import { icon, make } from "./dom.js";
import { bytes, count, times } from "./format.js";

const BANDWIDTH = {
  enough: ["good", "fa-solid fa-circle-check", "enough"],
  tight: ["warn", "fa-solid fa-circle-exclamation", "tight"],
  too_little: ["bad", "fa-solid fa-circle-xmark", "too little"],
  unproven: ["warn", "fa-solid fa-circle-question", "not proven"],
  unknown: ["idle", "fa-solid fa-circle-question", "not measured"],
};
const HEADS = [
  ["Choice", ""],
  ["Latency", "r"],
  ["Overhead", "r"],
  ["× RTT", "r text-nowrap"],
  ["Expect, if the loss is random", "rarity"],
  ["Outage repaired", "r"],
  ["Receiver's buffer", "r"],
  ["Bandwidth needed", "r"],
  ["New stream", ""],
];

/**
 * The address of the form of a new listener or caller with these settings. A caller gets the tested host only where the
 * operator entered it.
 */
export function formAddress(test, settings, mode) {
  const query = new URLSearchParams({ latency_ms: settings.latency_ms, overhead_percent: settings.overhead_percent });
  const host = test.target?.host ?? test.order.host;
  if (host) query.set("tested_host", host);
  if (test.finished_at) query.set("tested_at", Math.floor(Date.parse(test.finished_at) / 1000));
  if (mode === "caller" && test.order.mode === "manual") query.set("host", test.order.host);
  return `${mode === "caller" ? "/caller" : "/"}?${query}`;
}

/** A link that fills in the form of a new stream. */
export function applyLink(test, settings, mode, look, text) {
  const label = `${text}: ${settings.latency_ms} ms and ${settings.overhead_percent} % go into the form`;
  return make("a", { class: look, href: formAddress(test, settings, mode), "aria-label": label }, text);
}

/** The rows of a recommendation as a table. */
export function alternativesTable(test, rows) {
  const heads = HEADS.map(([name, look]) => make("th", { scope: "col", class: look }, name));
  return make(
    "div",
    { class: "table-responsive", tabindex: "0" },
    make(
      "table",
      { class: "plain" },
      make("thead", {}, make("tr", {}, ...heads)),
      make("tbody", {}, ...rows.map((row) => tableRow(test, row))),
    ),
  );
}

function tableRow(test, row) {
  const buffer = `${count(row.receiver_buffer_packets)} packets`;
  return make(
    "tr",
    {},
    make("th", { scope: "row" }, row.name),
    cell(row.latency_ms, "ms"),
    cell(row.overhead_percent, "%"),
    cell(times(row.rtt_multiple), ""),
    make("td", {}, row.rarity),
    cell(row.burst_ms.toFixed(0), "ms"),
    make("td", { class: "r num", title: buffer }, bytes(row.receiver_buffer_bytes)),
    bandwidthCell(row),
    make(
      "td",
      { class: "text-nowrap" },
      applyLink(test, row, "listener", "me-2", "listener"),
      applyLink(test, row, "caller", "", "caller"),
    ),
  );
}

function bandwidthCell(row) {
  const [colour, image, words] = BANDWIDTH[row.bandwidth];
  return make(
    "td",
    { class: "r" },
    make("span", { class: "num" }, row.bandwidth_needed_mbps.toFixed(2)),
    make("span", { class: "unit" }, "Mb/s "),
    make("span", { class: `state ${colour}` }, icon(image), words),
  );
}

function cell(text, unit) {
  return make("td", { class: "r num" }, String(text), unit ? make("span", { class: "unit" }, unit) : null);
}
