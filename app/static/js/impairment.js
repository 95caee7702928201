// The page of impaired paths: starts relays and rehearsals, and shows what each relay does.
import { ApiError, ask, poll, announce } from "./app.js";
import { dismissStream, stopStream } from "./actions.js";
import { byId, icon, make, setText } from "./dom.js";
import { count, dateAndTime, ms, percent, withUnit } from "./format.js";
import { fill, impairment, numberOf, numbersOf, showFaults } from "./impairment_form.js";
import { makeLamp, setLamp } from "./lamps.js";
import { loadProfiles } from "./own_profiles.js";
import { Spark } from "./sparkline.js";

const SIDES = { to_target: "to target", to_caller: "to caller" };
const form = byId("relay-form");
const relays = new Map();
let changed = null; // the key of the relay that the form changes

function relaySpec(port, host, targetPort) {
  return { direction: "relay", listen_port: port, target: { host, port: targetPort }, impairment: impairment() };
}

/** Run an action with its button disabled, and show in the form why it failed. */
async function attempt(button, act) {
  showFaults({}, "");
  button.disabled = true;
  try {
    await act();
    askNow();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    showFaults(error.fields, error.message);
  } finally {
    button.disabled = false;
  }
}

const start = (spec) => ask("POST", "/api/streams", { json: spec });

/** A receive stream, a relay and a copy of the stream, which the server starts together or not at all. */
async function rehearse() {
  await ask("POST", "/api/rehearsed-paths", { json: { stream: byId("rehearsed").value, impairment: impairment() } });
  announce("A copy runs through a relay");
}

async function rehearseLatencies() {
  const order = {
    stream: byId("rehearsed").value,
    impairment: impairment(),
    latencies_ms: numbersOf(byId("latencies").value),
    duration_s: Math.round(60 * numberOf(byId("minutes").value)),
  };
  const run = await ask("POST", "/api/rehearsals", { json: order });
  location.assign(`/impairment/rehearsals/${encodeURIComponent(run.id)}`);
}

/** Set the form to change a relay, or with null to start a new one. */
function setChanged(stream) {
  changed = stream?.key ?? null;
  byId("start-row").hidden = Boolean(stream);
  byId("change-row").hidden = !stream;
  setText(byId("relay-title"), stream ? "Change a relay" : "New relay");
  showFaults({}, "");
  if (!stream) return;
  setText(
    byId("change-text"),
    `${stream.label} continues without interruption. Outages and rebindings count from the change.`,
  );
  fill(stream.spec.impairment);
  byId("profile").focus();
}

async function change() {
  await ask("PUT", `/api/streams/${encodeURIComponent(changed)}/impairment`, { json: impairment() });
  announce("The relay was changed");
  setChanged(null);
}

function cell(text = "–") {
  return make("td", { class: "r num" }, text);
}

/** A relay as two lines of the table, one a direction. */
class Relay {
  constructor(key) {
    this.lamp = makeLamp();
    this.name = make("a", { href: `/stream/${encodeURIComponent(key)}` });
    this.what = make("div", { class: "dim small" });
    this.remarks = make("div", { class: "small text-break" });
    this.outage = make("button", { type: "button", class: "btn btn-q" }, icon("fa-solid fa-bolt"), " Outage now");
    this.end = make("button", { type: "button", class: "btn btn-q" }, icon("fa-solid fa-stop"), " Stop");
    this.change = make("button", { type: "button", class: "btn btn-q" }, icon("fa-solid fa-sliders"), " Change");
    this.outage.addEventListener("click", () => cut(key));
    this.change.addEventListener("click", () => setChanged(this.stream));
    this.end.addEventListener("click", async () => {
      if (await (this.stream.is_ordered ? stopStream(this.stream) : dismissStream(this.stream))) askNow();
    });
    this.lines = Object.entries(SIDES).map(([side, words]) => ({
      side,
      words,
      spark: new Spark(),
      cells: [cell(), cell(), cell(), cell()],
      before: null,
    }));
    const [first, second] = this.lines.map(({ words, cells, spark }) => [
      make("td", {}, words),
      ...cells,
      make("td", {}, spark.svg),
    ]);
    this.rows = [
      make(
        "tr",
        {},
        make("td", { rowspan: "2" }, this.name, make("div", {}, this.lamp), this.what, this.remarks),
        ...first,
        make("td", { rowspan: "2" }, this.outage, " ", this.change, " ", this.end),
      ),
      make("tr", {}, ...second),
    ];
  }

  show(stream) {
    const { relay } = stream;
    this.stream = { ...stream, direction: "relay", peers: relay.callers, is_ordered: stream.order === "run" };
    setLamp(this.lamp, stream);
    setText(this.name, stream.label);
    setText(
      this.what,
      `${relay.impairment_text} · ${count(relay.callers)} ${relay.callers === 1 ? "caller" : "callers"}`,
    );
    setText(this.remarks, relay.remarks.join(" "));
    this.outage.disabled = !this.stream.is_ordered;
    this.change.disabled = !this.stream.is_ordered;
    setText(this.end.lastChild, this.stream.is_ordered ? " Stop" : " Dismiss");
    for (const line of this.lines) showLine(line, relay[line.side]);
  }
}

function showLine(line, figures) {
  const texts = figures
    ? [
        count(figures.datagrams),
        `${count(figures.lost)} (${withUnit(percent(figures.lost_percent), "%")})`,
        count(figures.reordered),
        withUnit(ms(figures.queue_ms), "ms"),
      ]
    : ["–", "–", "–", "–"];
  line.cells.forEach((node, index) => {
    setText(node, texts[index]);
  });
  const came = figures && line.before ? figures.datagrams - line.before.datagrams : 0;
  // A poll without datagrams, or a new worker that counts from zero, says nothing about loss.
  line.spark.add(Date.now() / 1000, came > 0 ? (100 * (figures.lost - line.before.lost)) / came : null);
  line.before = figures;
}

async function cut(key) {
  try {
    await ask("POST", `/api/streams/${encodeURIComponent(key)}/outage`, {
      json: { for_ms: numberOf(byId("outage-ms").value), direction: "both" },
    });
    announce(`Outage of ${byId("outage-ms").value} ms ordered`);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    announce(error.fields.for_ms ? `Outage: ${error.fields.for_ms}` : error.message);
  }
}

function show(answer) {
  const present = (answer?.streams ?? []).filter(({ relay }) => relay);
  const keys = new Set(present.map(({ key }) => key));
  for (const [key, { rows }] of relays) {
    if (keys.has(key)) continue;
    for (const row of rows) row.remove();
    relays.delete(key);
  }
  for (const stream of present) {
    if (!relays.has(stream.key)) {
      relays.set(stream.key, new Relay(stream.key));
      byId("relays").append(...relays.get(stream.key).rows);
    }
    relays.get(stream.key).show(stream);
  }
  byId("relays-empty").hidden = present.length > 0;
  setText(byId("relays-empty"), "No relay yet. Start one, and let the caller call its port.");
}

byId("target-stream").addEventListener("change", ({ target }) => {
  if (!target.value) return;
  byId("target-host").value = "127.0.0.1";
  byId("target-port").value = target.value;
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(byId("start"), () =>
    start(
      relaySpec(
        numberOf(byId("listen_port").value),
        byId("target-host").value.trim(),
        numberOf(byId("target-port").value),
      ),
    ),
  );
});
byId("change").addEventListener("click", ({ currentTarget }) => attempt(currentTarget, change));
byId("change-end").addEventListener("click", () => setChanged(null));
byId("rehearse")?.addEventListener("click", ({ currentTarget }) => attempt(currentTarget, rehearse));
byId("rehearse-latencies")?.addEventListener("click", ({ currentTarget }) => attempt(currentTarget, rehearseLatencies));

function rehearsalRow(run) {
  const link = make("a", { href: `/impairment/rehearsals/${encodeURIComponent(run.id)}` }, dateAndTime(run.started_at));
  const result = run.is_running ? `${run.state_text}, ${Math.floor(run.progress_percent)} %` : run.headline;
  return make(
    "tr",
    {},
    make("td", { class: "num" }, link),
    make("td", { class: "text" }, run.label, make("div", { class: "dim small" }, run.impairment_text)),
    cell(run.is_running ? "–" : String(run.lowest_held_ms ?? "–")),
    make("td", { class: "text" }, result),
  );
}

const askNow = poll("/api/streams", 1000, show);
poll("/api/rehearsals", 5000, ({ rehearsals }) => {
  byId("rehearsals").replaceChildren(...rehearsals.map(rehearsalRow));
  byId("rehearsals-empty").hidden = rehearsals.length > 0;
  setText(
    byId("rehearsals-empty"),
    "No rehearsal yet. Choose a send stream and a profile, and start one to find the lowest latency that holds.",
  );
});
try {
  await loadProfiles();
} catch (error) {
  if (!(error instanceof ApiError)) throw error;
  showFaults({}, `The profiles could not be loaded: ${error.message}`);
}
