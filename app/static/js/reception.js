// A receive stream's page: one poll brings the account, the new seconds and the events.
import { ask, onKey, poll } from "./app.js";
import { save } from "./chart_picture.js";
import { DeliveryChart } from "./delivery_chart.js";
import { byId, icon, make, setClass, setFigure, setText } from "./dom.js";
import { showEvents } from "./events_list.js";
import { bindFarEnd } from "./far_end.js";
import { count, mbps, ms, timeOfDay, UNKNOWN } from "./format.js";
import { colourOf, makeLamp, setLamp } from "./lamps.js";
import {
  showContent,
  showIndicators,
  showReceiver,
  showThere,
  showTime,
  showWatching,
  showWhole,
} from "./reception_panels.js";
import { senderCards } from "./senders.js";
import { answerOf, bindDebug, bindOrders, showOrderButtons } from "./stream_page.js";
import { showNotes, showSettings } from "./stream_panels.js";
import { sinceWords } from "./stream_words.js";

const POLL_MS = 1000;
const HOUR_S = 3600;
const DAY_S = 86400;
const MINUTES_EVERY_MS = 60_000;
const STALE_AFTER_S = 3;
const WORDS = { good: "Good", attention: "Attention", fault: "Fault" };
const ICONS = {
  good: "fa-solid fa-circle-check",
  attention: "fa-solid fa-circle-exclamation",
  fault: "fa-solid fa-circle-xmark",
};

const { key } = byId("stream").dataset;
const base = `/api/streams/${encodeURIComponent(key)}`;
const lamp = makeLamp();
byId("lamp").append(lamp);
const chart = new DeliveryChart(byId("delivery-chart"));
const farEnd = bindFarEnd(key, senderCards);

let view = null;
let seconds = [];
let minutes = [];
let spanS = 300;
let hasHour = false;
let minutesAt = 0;
let nowS = Date.now() / 1000;

const askNow = poll(
  () => `${base}/live${seconds.length ? `?since=${Math.floor(seconds.at(-1).at)}` : ""}`,
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
  nowS = Date.parse(overview.now) / 1000;
  const isOld = stream.sample_age_s !== null && stream.sample_age_s > STALE_AFTER_S;
  document.querySelector(".figures").classList.toggle("is-stale", isOld);
  addSeconds(answer.delivery);
  setLamp(lamp, stream);
  setText(byId("label"), stream.label);
  setText(byId("since"), sinceWords(stream, overview.now, { isOld }));
  setText(byId("about"), stream.about_text);
  showNotes(byId("notes"), stream, null);
  showThere(byId("there"), stream);
  if (stream.reception) showReception(stream.reception, stream);
  showSettings(byId("settings"), stream.settings);
  showReceiver(byId("worker"), stream, overview.now);
  showEvents(byId("events"), answer.events, overview.now, { withName: false });
  farEnd.show(stream);
  showOrderButtons(stream);
  byId("reset").disabled = !stream.worker;
  if (spanS === DAY_S) loadMinutes();
  draw();
}

function showReception(reception, stream) {
  showVerdict(reception);
  setFigure(byId("delivered"), mbps(reception.delivered_mbps), "Mb/s");
  setFigure(byId("lost"), count(reception.packets_dropped), "packets");
  setFigure(byId("late"), ms(reception.lateness_ms?.max), "ms");
  setFigure(byId("gap"), ms(reception.longest_gap_ms), "ms");
  setFigure(
    byId("headroom"),
    reception.headroom_ms === null ? UNKNOWN : String(reception.headroom_ms),
    `of ${reception.latency_ms ?? UNKNOWN} ms`,
  );
  setFigure(byId("rtt"), ms(reception.rtt_ms?.avg), "ms");
  setFigure(byId("cc"), count(reception.continuity_errors), "");
  byId("lost").classList.toggle("bad", reception.packets_dropped > 0);
  byId("cc").classList.toggle("warn", reception.continuity_errors > 0);
  byId("gap").classList.toggle("warn", reception.longest_freeze_ms > 0);
  showWhole(byId("whole"), reception, stream.totals);
  showTime(byId("time"), reception);
  showContent(byId("content-words"), byId("pids"), reception);
  showIndicators(byId("indicators"), reception.tr101290);
  showWatching(byId("watching-words"), byId("watching"), byId("picture"), reception, `${base}/picture`);
}

function showVerdict({ verdict, since }) {
  const { severity, text, findings } = verdict;
  setClass(byId("verdict"), `verdict panel is-${severity}`);
  if (byId("verdict-lamp").dataset.shown !== severity) {
    byId("verdict-lamp").dataset.shown = severity;
    byId("verdict-lamp").replaceChildren(
      make("span", { class: `state ${colourOf(severity)}` }, icon(ICONS[severity]), WORDS[severity]),
    );
  }
  setText(byId("verdict-text"), text);
  setText(byId("counted-since"), `since ${timeOfDay(since)} UTC`);
  const more = findings.slice(1);
  const list = byId("findings");
  if (list.dataset.shown !== more.join("\n")) {
    list.dataset.shown = more.join("\n");
    list.replaceChildren(...more.map((finding) => make("li", {}, finding)));
  }
}

function addSeconds(fresh) {
  const last = seconds.at(-1)?.at ?? 0;
  seconds.push(...fresh.filter((second) => second.at > last));
  const oldest = (seconds.at(-1)?.at ?? 0) - HOUR_S;
  if (seconds.length && seconds[0].at < oldest) seconds = seconds.filter((second) => second.at >= oldest);
}

function draw() {
  chart.show(spanS === DAY_S ? minutes : seconds, nowS, spanS);
}

async function reset() {
  if (await answerOf(ask("POST", `${base}/reset`))) askNow();
}

async function loadHour() {
  const answer = await answerOf(ask("GET", `${base}/reception?seconds=${HOUR_S}`));
  if (!answer) return;
  const newest = answer.samples.at(-1)?.at ?? 0;
  seconds = [...answer.samples, ...seconds.filter((second) => second.at > newest)];
  hasHour = true;
}

async function loadMinutes() {
  if (Date.now() - minutesAt < MINUTES_EVERY_MS) return;
  minutesAt = Date.now();
  const answer = await answerOf(ask("GET", `${base}/reception?seconds=${DAY_S}`));
  if (answer) minutes = answer.samples;
  draw();
}

for (const radio of document.querySelectorAll("[name=span]")) {
  radio.addEventListener("change", async () => {
    spanS = Number(radio.value);
    byId("csv").href = `${base}/reception?seconds=${Math.max(spanS, HOUR_S)}&format=csv`;
    if (spanS === HOUR_S && !hasHour) await loadHour();
    if (spanS === DAY_S) await loadMinutes();
    draw();
  });
}

byId("png").addEventListener("click", async () => {
  const title = `Delivery · ${view?.label ?? key} · ${new Date().toISOString().slice(0, 19)}Z`;
  save(await chart.toPng(title), `srt-${key}-delivery.png`);
});
byId("reset").addEventListener("click", reset);
onKey("0", "count from zero", reset);
bindOrders(() => view, askNow);
bindDebug(base);
