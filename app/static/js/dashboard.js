// The dashboard: one poll feeds the table, the machine's strip, the events and the free ports of the dialog.
import { startAll, stopAll } from "./all_streams.js";
import { onKey, poll, announce } from "./app.js";
import { byId, setText } from "./dom.js";
import { showEvents } from "./events_list.js";
import { bindGroupFilter } from "./group_filter.js";
import { bindNewStream } from "./new_stream.js";
import { StreamRow } from "./stream_row.js";
import { showCount, showSystem } from "./system.js";
import { offerKept, undoNewest } from "./undo.js";

const POLL_MS = 1000;
const ORDER = { fault: 0, attention: 1, good: 2, idle: 3 };

const body = byId("streams");
const filter = byId("filter");
const rows = new Map();
let wantsPast = true;
const groups = bindGroupFilter(applyFilter);

const form = bindNewStream((view) => {
  announce(`On air: ${view.label} (${view.phase_text.toLowerCase()})`);
  askNow();
});

setText(byId("streams-empty"), "Loading streams …");
const askNow = poll(() => (wantsPast ? "/api/dashboard?spark=1" : "/api/dashboard"), POLL_MS, show);

offerKept(askNow);

// A tab that was hidden has missed some history.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) wantsPast = true;
});

function show(answer) {
  wantsPast = false;
  const { overview, streams } = answer;
  const present = new Set(streams.map((stream) => stream.key));
  for (const [key, row] of rows) {
    if (present.has(key)) continue;
    row.node.remove();
    rows.delete(key);
  }
  for (const stream of streams) {
    let row = rows.get(stream.key);
    if (!row) {
      row = new StreamRow(stream.key, () => askNow());
      rows.set(stream.key, row);
      if (!stream.spark) wantsPast = true;
    }
    row.show(stream, overview.now);
  }
  groups.show(streams);
  arrange(streams);
  showSystem(answer.system);
  showEvents(byId("events"), answer.events, overview.now, { withName: true });
  form.showFreePorts(answer.free_ports);
}

/** Sort faults first, then streams that need attention, each oldest first. Only rows in a wrong position move. */
function arrange(streams) {
  const wanted = streams
    .map((stream, index) => ({ row: rows.get(stream.key), rank: ORDER[stream.severity] * 1000 + index }))
    .sort((one, other) => one.rank - other.rank)
    .map(({ row }) => row.node);
  const focused = document.activeElement;
  wanted.forEach((node, index) => {
    if (body.children[index] !== node) body.insertBefore(node, body.children[index] ?? null);
  });
  if (body.contains(focused) && document.activeElement !== focused) focused.focus({ preventScroll: true });
  applyFilter();
}

function applyFilter() {
  const words = filter.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const { node, stream } of rows.values()) {
    const text = [
      stream.label,
      stream.source,
      stream.target,
      stream.mode,
      stream.phase_text,
      stream.reason_text ?? "",
      stream.group,
    ]
      .join(" ")
      .toLowerCase();
    const fits = words.every((word) => text.includes(word)) && (!groups.chosen() || stream.group === groups.chosen());
    node.hidden = !fits;
    shown += fits;
  }
  showCount(byId("stream-count"), shown, rows.size);
  const empty = byId("streams-empty");
  empty.hidden = shown > 0;
  setText(
    empty,
    rows.size
      ? "No stream matches the filter."
      : "No streams yet. New stream (n) starts colour bars with one click, a file or a multicast group.",
  );
}

filter.addEventListener("input", applyFilter);
filter.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  filter.value = "";
  applyFilter();
  filter.blur();
});

body.addEventListener("focusin", (event) => select(event.target.closest("tr")));

function select(node) {
  for (const row of rows.values()) row.node.classList.toggle("is-selected", row.node === node);
}

function selected() {
  return [...rows.values()].find((row) => row.node.classList.contains("is-selected") && !row.node.hidden);
}

function move(step) {
  const shown = [...body.children].filter((node) => !node.hidden);
  if (!shown.length) return;
  const now = shown.indexOf(selected()?.node);
  const next = now < 0 ? (step > 0 ? 0 : shown.length - 1) : Math.min(shown.length - 1, Math.max(0, now + step));
  shown[next].querySelector(".name").focus();
}

const known = () => [...rows.values()].map((row) => row.stream);
byId("start-all").addEventListener("click", () => startAll(known(), groups.chosen(), askNow));
byId("stop-all").addEventListener("click", () => stopAll(known(), groups.chosen(), askNow));

onKey("/", "filter the streams", () => filter.focus());
onKey("j", "next stream", () => move(1));
onKey("k", "previous stream", () => move(-1));
onKey("Enter", "details of the chosen stream", () => selected()?.details.click());
onKey("s", "stop the chosen stream", () => selected()?.stopByKey());
onKey("X", "dismiss the chosen stream when it is off air", () => selected()?.dismissByKey());
onKey("u", "undo the last dismissal, for 10 s", undoNewest);
onKey("r", "restart the chosen stream", () => selected()?.restart.click());
onKey("w", "wall view", () => location.assign("/?view=wall"));
