// A stream's page: one poll gets the view, the new history and the events; charts keep earlier samples.
import { ask, onKey, poll } from "./app.js";
import { changeStream } from "./actions.js";
import { save } from "./chart_picture.js";
import { TimeChart } from "./charts.js";
import { marksOf } from "./event_marks.js";
import { byId, setFigure, setText } from "./dom.js";
import { showEvents } from "./events_list.js";
import { bindFarEnd } from "./far_end.js";
import { count, dateAndTime, mbps, ms, percent, times } from "./format.js";
import { colourOf, makeLamp, setLamp } from "./lamps.js";
import { PastRange, bindGestures } from "./past_range.js";
import { answerOf, bindDebug, bindOrders, factsOf, showOrderButtons } from "./stream_page.js";
import { showCounters, showNotes, showPeers, showSettings, showWorker } from "./stream_panels.js";
import { sinceWords } from "./stream_words.js";

const POLL_MS = 1000;
const HOUR_S = 3600;

const { key } = byId("stream").dataset;
const lamp = makeLamp();
byId("lamp").append(lamp);

let view = null;
let samples = [];
let spanS = 300;
let hasHour = false;
let events = [];
let serverNow = Date.now() / 1000;

const charts = {
  "bitrate-chart": new TimeChart(
    byId("bitrate-chart"),
    [
      { label: "payload, Mb/s", colour: "--chart-1", read: (sample) => sample.payload_mbps },
      { label: "on the wire, Mb/s", colour: "--chart-2", read: (sample) => sample.wire_mbps },
      { label: "input, Mb/s", colour: "--chart-3", read: (sample) => sample.input_mbps },
    ],
    ["Mb/s"],
  ),
  "rtt-chart": new TimeChart(
    byId("rtt-chart"),
    [
      { label: "RTT, ms", colour: "--chart-1", read: (sample) => sample.rtt_ms },
      { label: "send buffer, ms", colour: "--chart-3", read: (sample) => sample.send_buffer_ms },
    ],
    ["ms"],
  ),
  "loss-chart": new TimeChart(
    byId("loss-chart"),
    [
      { label: "resent, %", colour: "--chart-2", read: (sample) => sample.retransmitted_percent },
      {
        label: "lost at receiver (est.), %",
        colour: "--chart-3",
        read: (sample) => (sample.lost_at_receiver === null ? null : 100 * sample.lost_at_receiver),
      },
      { label: "sender drops, packets/s", colour: "--chart-4", read: (sample) => sample.packets_dropped, axis: "y2" },
    ],
    ["%", "packets/s"],
  ),
};
const farEnd = bindFarEnd(key);

const base = `/api/streams/${encodeURIComponent(key)}`;
const askNow = poll(
  () => (samples.length ? `${base}/live?since=${Math.floor(samples.at(-1).at)}` : `${base}/live`),
  POLL_MS,
  show,
);

function show(answer) {
  if (answer === null) {
    location.assign("/");
    return;
  }
  const { overview, stream } = answer;
  view = stream;
  const { now } = overview;
  serverNow = Date.parse(now) / 1000;
  events = answer.events;
  const isOld = stream.is_stale;
  document.querySelector(".figures").classList.toggle("is-stale", isOld);
  addSamples(answer.samples);
  setLamp(lamp, stream);
  setText(byId("label"), stream.label);
  setText(byId("since"), sinceWords(stream, now, { remark: stream.remark, isOld }));
  setText(byId("about"), stream.about_text);
  showFigures(stream);
  showNotes(byId("notes"), stream, answer.advice);
  showPeers(byId("peers"), byId("peer-count"), stream);
  showSettings(byId("settings"), stream.settings);
  showCounters(byId("counters"), stream);
  showWorker(byId("worker"), stream, now);
  showEvents(byId("events"), answer.events, now, { withName: false });
  farEnd.show(stream);
  showOrderButtons(stream);
  draw();
}

function addSamples(fresh) {
  const last = samples.at(-1)?.at ?? 0;
  samples.push(...fresh.filter((sample) => sample.at > last));
  const oldest = (samples.at(-1)?.at ?? 0) - HOUR_S;
  if (samples.length && samples[0].at < oldest) samples = samples.filter((sample) => sample.at >= oldest);
}

function showFigures(stream) {
  setFigure(byId("payload"), mbps(stream.payload_mbps), "Mb/s");
  setFigure(byId("wire"), mbps(stream.wire_mbps), "Mb/s");
  setFigure(byId("rtt"), ms(stream.rtt_ms), "ms");
  setFigure(byId("times"), times(stream.latency_rtt_ratio), "×");
  const colour = colourOf(stream.ratio_severity);
  for (const name of ["bad", "warn", "good"]) byId("times").classList.toggle(name, name === colour);
  setText(byId("lost"), stream.lost_text);
  for (const name of ["bad", "warn", "good"])
    byId("lost").classList.toggle(name, name === colourOf(stream.loss_severity));
  setFigure(byId("resent"), percent(stream.last_second?.retransmitted_percent), "%");
  setFigure(byId("drops"), count(stream.totals.packets_dropped), "packets");
  byId("drops").classList.toggle("warn", stream.totals.packets_dropped > 0);
  const fullest = Math.max(...stream.peers.map((peer) => peer.send_buffer_ms ?? -1), -1);
  const limits = stream.peers.map((peer) => peer.negotiated_latency_ms).filter((latency) => latency !== null);
  setFigure(byId("buffer"), ms(fullest < 0 ? null : fullest), limits.length ? `of ${Math.min(...limits)} ms` : "ms");
}

const shownRange = () => past.range ?? { from: serverNow - spanS, to: serverNow };

function draw() {
  const isLive = past.range === null;
  const marks = marksOf(isLive ? events : past.events);
  for (const chart of Object.values(charts)) {
    chart.show(isLive ? samples : past.samples, shownRange(), { stepS: isLive ? 1 : past.stepS, marks });
  }
}

const past = new PastRange(
  key,
  () => serverNow,
  () => {
    const { from, to } = shownRange();
    const isLive = past.range === null;
    for (const radio of document.querySelectorAll("[name=span]"))
      radio.checked = isLive && Number(radio.value) === spanS;
    byId("csv").href = isLive ? byId("csv").dataset.live : past.url("&format=csv");
    setText(byId("range"), isLive ? "" : `${dateAndTime(from)} to ${dateAndTime(to)} UTC`);
    draw();
  },
);

const zoom = (factor, centre) => past.zoom(factor, shownRange(), centre);
const pan = (fraction) => past.pan(fraction, shownRange());
for (const { canvas, chart } of Object.values(charts)) {
  bindGestures(canvas, () => chart.chartArea, { zoom, pan });
}
for (const [id, act] of [
  ["zoom-in", () => zoom(0.5)],
  ["zoom-out", () => zoom(2)],
  ["earlier", () => pan(-0.5)],
  ["later", () => pan(0.5)],
]) {
  byId(id).addEventListener("click", act);
}

for (const radio of document.querySelectorAll("[name=span]")) {
  radio.addEventListener("change", async () => {
    const wantedS = Number(radio.value);
    if (wantedS > HOUR_S) {
      past.set(serverNow - wantedS, serverNow);
      return;
    }
    spanS = wantedS;
    if (spanS > 300 && !hasHour) await loadHour();
    past.follow();
  });
}

async function loadHour() {
  const answer = await answerOf(ask("GET", `${base}/history?seconds=${HOUR_S}`));
  if (!answer) return;
  const newest = answer.samples.at(-1)?.at ?? 0;
  samples = [...answer.samples, ...samples.filter((sample) => sample.at > newest)];
  hasHour = true;
}

for (const button of document.querySelectorAll("[data-png]")) {
  button.addEventListener("click", async () => {
    const id = button.dataset.png;
    const now = `${new Date().toISOString().slice(0, 19)}Z`;
    const title = `${byId(`${id}-title`).textContent} · ${view?.label ?? key} · ${now}`;
    save(await charts[id].toPng(title), `srt-${key}-${id}.png`);
  });
}

byId("notes").addEventListener("click", async (event) => {
  const button = event.target.closest("#apply-advice, #use-direct");
  if (!button || !view) return;
  const { latencyMs, overheadPercent } = button.dataset;
  const changes =
    button.id === "use-direct"
      ? { engine: "direct" }
      : { latency_ms: Number(latencyMs), overhead_percent: Number(overheadPercent) };
  if (await changeStream(factsOf(view), { ...view.spec, ...changes })) askNow();
});
bindOrders(() => view, askNow);
bindDebug(base);
onKey("+", "zoom into the charts", () => zoom(0.5));
onKey("-", "zoom out of the charts", () => zoom(2));
onKey("[", "earlier in the charts", () => pan(-0.5));
onKey("]", "later in the charts", () => pan(0.5));
if (past.range) past.set(past.range.from, past.range.to);
