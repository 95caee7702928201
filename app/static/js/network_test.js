// The network test's page: the form, one poll, the progress of a test, the list of earlier ones.
import { ApiError, ask, poll } from "./app.js";
import { byId, icon, make, setClass, setText } from "./dom.js";
import { showProblem } from "./form_faults.js";
import { dateAndTime, duration, mbps, ms, percent } from "./format.js";
import { showResult } from "./network_result.js";

const POLL_MS = 1000;
const STATES = {
  running: ["idle", "fa-solid fa-circle-notch fa-spin", "Running"],
  done: ["good", "fa-solid fa-circle-check", "Done"],
  partial: ["warn", "fa-solid fa-circle-exclamation", "Partly measured"],
  failed: ["bad", "fa-solid fa-circle-xmark", "Failed"],
  cancelled: ["idle", "fa-regular fa-circle-stop", "Cancelled"],
};
const NUMBERS = ["port", "bitrate_mbps", "duration_s", "lowest_latency_ms"];

const form = byId("test-form");
let shown = null; // the test on the right
let runningId = null;

/** The order that the form describes. A value that is not a number is sent as text: the server has the rules. */
function readOrder() {
  const mode = form.elements.mode.value;
  const names = ["bitrate_mbps", "duration_s", "lowest_latency_ms"];
  if (mode === "manual") names.push("host", "port", "protocol", "direction");
  if (mode === "regional") names.push("region");
  const order = { mode };
  for (const name of names) {
    const text = form.elements[name].value.trim();
    order[name] = NUMBERS.includes(name) && text !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
  }
  return order;
}

function showMode() {
  const mode = form.elements.mode.value;
  for (const box of form.querySelectorAll("[data-mode]")) box.hidden = !box.dataset.mode.split(" ").includes(mode);
  const isUdp = form.elements.protocol.value === "udp";
  setText(byId("protocol-hint"), isUdp ? "Loss, at the stream's bitrate" : "Bandwidth; loss is estimated");
}

async function start(event) {
  event.preventDefault();
  showProblem(form, byId("order-problem"), "", {});
  byId("start-test").disabled = true;
  try {
    const test = await ask("POST", "/api/network-tests", { json: readOrder() });
    runningId = test.id;
    show(test);
    look();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    byId("start-test").disabled = false;
    showProblem(form, byId("order-problem"), error.message, error.fields);
  }
}

async function choose(id) {
  try {
    show(await ask("GET", `/api/network-tests/${encodeURIComponent(id)}`));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    setText(byId("test-target"), error.message);
  }
}

function show(test) {
  shown = test;
  const [colour, image, words] = STATES[test.state];
  const lamp = byId("test-state");
  if (lamp.dataset.state !== test.state) {
    lamp.dataset.state = test.state;
    setClass(lamp, `state ${colour}`);
    lamp.replaceChildren(icon(image), words);
  }
  const target = test.target;
  const parts = target ? [`${target.host}:${target.port}`, target.label, `${dateAndTime(test.started_at)} UTC`] : [];
  setText(byId("test-target"), parts.filter(Boolean).join(" · "));
  const isRunning = test.state === "running";
  byId("progress").hidden = !isRunning;
  byId("cancel-test").classList.toggle("d-none", !isRunning);
  if (isRunning) {
    setText(byId("step"), `${test.step} …`);
    byId("progress-bar").max = test.expected_s;
    // Never full before the end, because a slow far end takes longer than expected.
    byId("progress-bar").value = Math.min(test.elapsed_s, test.expected_s * 0.97);
    setText(byId("elapsed"), `${duration(test.elapsed_s)} of about ${duration(test.expected_s)}`);
  }
  showResult(byId("result"), test);
}

function showServers(servers, regions) {
  const age =
    servers.list_age_s === null
      ? "the list that ships with the product"
      : `the public list, ${duration(servers.list_age_s)} old`;
  const own = servers.own_servers ? `${servers.own_servers} own servers and ` : "";
  const problem = servers.problem ? ` It could not be refreshed: ${servers.problem}.` : "";
  if (!byId("servers-state").textContent.includes("OFFLINE")) {
    setText(
      byId("servers-state"),
      `Chooses by RTT among ${own}${servers.servers} servers of ${age}.${problem} TCP, sending.`,
    );
  }
  const select = form.elements.region;
  const offered = regions.join("\n");
  if (select.dataset.shown === offered) return;
  const chosen = select.value;
  select.dataset.shown = offered;
  select.replaceChildren(...regions.map((region) => make("option", {}, region)));
  if (regions.includes(chosen)) select.value = chosen;
}

function showHistory(tests) {
  const text = JSON.stringify(tests);
  const body = byId("history");
  if (body.dataset.shown === text) return;
  body.dataset.shown = text;
  const rows = tests.map(historyRow);
  body.replaceChildren(
    ...(rows.length
      ? rows
      : [make("tr", { role: "row" }, make("td", { role: "cell", colspan: 9, class: "dim" }, "No test yet"))]),
  );
}

function historyRow(test) {
  const [colour, image, words] = STATES[test.state];
  const button = make(
    "button",
    {
      type: "button",
      class: "btn btn-q",
      "data-test": test.id,
      "aria-label": `Show the test of ${dateAndTime(test.started_at)}`,
    },
    "Show",
  );
  return make(
    "tr",
    { role: "row" },
    make("td", { role: "cell", class: "num" }, dateAndTime(test.started_at)),
    make(
      "td",
      { role: "cell", class: "text-break" },
      test.target,
      make("span", { class: "dim" }, ` ${test.protocol.toUpperCase()}`),
    ),
    make(
      "td",
      { role: "cell", title: test.problem ?? "" },
      make("span", { class: `state ${colour}` }, icon(image), words),
    ),
    figureCell("RTT", ms(test.rtt_ms), "ms"),
    figureCell("Bandwidth", mbps(test.bandwidth_mbps), "Mb/s"),
    figureCell("Loss", percent(test.loss_percent), "%", test.loss_basis),
    figureCell("Latency", test.latency_ms ?? "–", "ms"),
    figureCell("Overhead", test.overhead_percent ?? "–", "%"),
    make("td", { role: "cell", class: "r" }, button),
  );
}

function figureCell(label, text, unit, note) {
  const figure = text === "–" ? [text] : [String(text), make("span", { class: "unit" }, unit)];
  return make(
    "td",
    { role: "cell", class: "r num", "data-label": label },
    ...figure,
    note && text !== "–" ? make("span", { class: "unit" }, note) : null,
  );
}

function take(answer) {
  if (answer === null) return;
  showServers(answer.servers, answer.servers.regions);
  showHistory(answer.tests);
  const running = answer.tests.find((test) => test.state === "running");
  byId("start-test").disabled = Boolean(running);
  const watched = running?.id ?? runningId;
  if (watched && (watched === runningId || shown === null)) choose(watched);
  runningId = running?.id ?? null;
}

form.addEventListener("submit", start);
form.addEventListener("change", showMode);
byId("history").addEventListener("click", (event) => {
  const id = event.target.closest("[data-test]")?.dataset.test;
  if (id) choose(id);
});
byId("cancel-test").addEventListener("click", async () => {
  if (!shown) return;
  try {
    await ask("DELETE", `/api/network-tests/${encodeURIComponent(shown.id)}`);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    setText(byId("step"), error.message);
  }
  look();
});
showMode();
// A link may name a test: /network_test?test=<id>
const linked = new URLSearchParams(location.search).get("test");
if (linked) choose(linked);
const look = poll("/api/network-tests", POLL_MS, take);
