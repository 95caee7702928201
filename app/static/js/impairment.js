// The page of impaired paths: starts relays and rehearsals, and shows what each relay does.
import { ApiError, ask, poll, announce } from "./app.js";
import { dismissStream, stopStream } from "./actions.js";
import { byId, icon, make, setText } from "./dom.js";
import { count, ms, percent, withUnit } from "./format.js";
import { makeLamp, setLamp } from "./lamps.js";
import { Spark } from "./sparkline.js";

const SIDES = { to_target: "to target", to_caller: "to caller" };
const form = byId("relay-form");
const profile = byId("profile");
const relays = new Map();
let profiles = new Map();

const numberOf = (text) => Number(text.trim().replace(",", ".") || Number.NaN);

/** One direction: the profile's figures with those of the form over them; null where neither says anything. */
function direction(side) {
  const fields = [...form.querySelectorAll(`[data-side=${side}]`)].filter((field) => field.value.trim());
  const given = Object.fromEntries(fields.map((field) => [field.dataset.figure, numberOf(field.value)]));
  const base = profiles.get(profile.value)?.[side];
  return base || fields.length ? { ...base, ...given } : null;
}

function impairment() {
  return { profile: profile.value || null, to_target: direction("to_target"), to_caller: direction("to_caller") };
}

function relaySpec(port, host, targetPort, name = "") {
  return { direction: "relay", listen_port: port, target: { host, port: targetPort }, name, impairment: impairment() };
}

function showFaults(fields, message) {
  let shown = 0;
  for (const node of form.querySelectorAll("[data-fault-of]")) {
    const fault = fields[node.dataset.faultOf] ?? "";
    setText(node, fault);
    node.classList.toggle("d-block", Boolean(fault));
    shown += Boolean(fault);
  }
  byId("relay-problem").classList.toggle("d-none", !message || shown > 0);
  setText(byId("relay-problem"), message);
}

/** Do it with the button off, and show in the form why it failed. */
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

/** Receive, relay, send, in this order. Where one cannot start, those before it are taken away again. */
async function rehearse() {
  const [{ spec, label }, { free_ports: ports }] = await Promise.all([
    ask("GET", `/api/streams/${encodeURIComponent(byId("rehearsed").value)}`),
    ask("GET", "/api/dashboard"),
  ]);
  if (ports.length < 2)
    throw new ApiError({
      responseJSON: { error: { message: "A rehearsal needs two free listener ports; stop a stream." } },
    });
  const [receivePort, relayPort] = ports;
  const name = `Rehearsal ${relayPort}`;
  const wanted = [
    {
      direction: "receive",
      endpoint: { mode: "listener", port: receivePort },
      latency_ms: spec.latency_ms,
      name: `${name}, receiver`,
    },
    relaySpec(relayPort, "127.0.0.1", receivePort, `${name}, relay`),
    {
      ...spec,
      endpoint: { mode: "caller", host: "127.0.0.1", port: relayPort },
      encryption: null,
      receivers_expected: null,
      name: `${name}, sender`,
    },
  ];
  const started = [];
  try {
    for (const each of wanted) started.push(await start(each));
  } catch (error) {
    for (const { key } of started.reverse()) await dismissStream({ key });
    throw error;
  }
  announce(`Rehearsal of ${label} started`);
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
    this.outage = make("button", { type: "button", class: "btn btn-q" }, icon("fa-solid fa-bolt"), " Outage now");
    this.end = make("button", { type: "button", class: "btn btn-q" }, icon("fa-solid fa-stop"), " Stop");
    this.outage.addEventListener("click", () => cut(key));
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
        make("td", { rowspan: "2" }, this.name, make("div", {}, this.lamp), this.what),
        ...first,
        make("td", { rowspan: "2" }, this.outage, " ", this.end),
      ),
      make("tr", {}, ...second),
    ];
  }

  show(stream) {
    const { relay } = stream;
    this.stream = { ...stream, peers: relay.callers, is_ordered: stream.order === "run" };
    setLamp(this.lamp, stream);
    setText(this.name, stream.label);
    setText(
      this.what,
      `${relay.impairment_text} · ${count(relay.callers)} ${relay.callers === 1 ? "caller" : "callers"}`,
    );
    this.outage.disabled = !this.stream.is_ordered;
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
  setText(byId("relays-empty"), "No relay yet. Start one, and point the caller at its port.");
}

profile.addEventListener("change", () => {
  setText(byId("citation"), profile.selectedOptions[0].dataset.citation ?? "");
  for (const field of form.querySelectorAll("[data-side]"))
    field.placeholder = profiles.get(profile.value)?.[field.dataset.side]?.[field.dataset.figure] ?? "0";
});
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
byId("rehearse")?.addEventListener("click", ({ currentTarget }) => attempt(currentTarget, rehearse));

const askNow = poll("/api/streams", 1000, show);
try {
  const answer = await ask("GET", "/api/impairment-profiles");
  profiles = new Map(answer.profiles.map((each) => [each.name, each]));
} catch (error) {
  if (!(error instanceof ApiError)) throw error;
  showFaults({}, `The profiles could not be loaded: ${error.message}`);
}
profile.dispatchEvent(new Event("change"));
