// What a network test found and recommends. Every figure says whether it was measured, estimated or assumed.
import { make } from "./dom.js";
import { count, UNKNOWN } from "./format.js";
import { alternativesTable, applyLink } from "./network_alternatives.js";

const BASIS = { measured: "good", estimated: "warn", assumed: "warn" };

/** Show a test in `place`; unchanged parts are not touched. */
export function showResult(place, test) {
  const isRunning = test.state === "running";
  const text = JSON.stringify([test.id, test.state, test.figures, test.attempts, test.problems, test.problem]);
  if (place.dataset.shown === text) return;
  place.dataset.shown = text;
  const parts = [];
  if (test.problem && test.state !== "cancelled")
    parts.push(make("div", { class: "note fault", role: "alert" }, test.problem));
  for (const problem of test.problems) parts.push(make("div", { class: "note attention" }, problem));
  for (const note of test.notes) parts.push(make("div", { class: "note" }, note));
  if (test.recommendation) parts.push(...recommendation(test));
  if (test.figures.length) parts.push(figures(test.figures));
  if (test.recommendation) parts.push(...explanation(test));
  if (test.attempts.length) parts.push(attempts(test.attempts, test.place));
  if (!parts.length)
    parts.push(make("p", { class: "empty" }, isRunning ? "Nothing measured yet" : "Nothing was measured"));
  place.replaceChildren(...parts);
}

function recommendation(test) {
  const { recommended, expectation, warnings } = test.recommendation;
  const notes = warnings.map((warning) => make("div", { class: "note attention" }, warning));
  const value = (title, number, unit) =>
    make(
      "div",
      {},
      make("dt", {}, title),
      make("dd", { class: "num value" }, String(number), make("span", { class: "unit" }, unit)),
    );
  return [
    ...notes,
    make(
      "div",
      { class: "recommended" },
      make(
        "dl",
        {},
        value("Latency", recommended.latency_ms, "ms"),
        value("Overhead", recommended.overhead_percent, "%"),
      ),
      make(
        "div",
        { class: "apply" },
        applyLink(test, recommended, "listener", "btn btn-on", "New listener with these values"),
        applyLink(test, recommended, "caller", "btn btn-on", "New caller with these values"),
      ),
      make("p", {}, expectation),
    ),
  ];
}

function figures(list) {
  const cells = list.map((figure) =>
    make(
      "div",
      { title: figure.definition },
      make("dt", {}, figure.label),
      make(
        "dd",
        { class: "num" },
        figure.value === null ? UNKNOWN : figure.value >= 1000 ? count(figure.value) : String(figure.value),
        figure.unit ? make("span", { class: "unit" }, figure.unit) : null,
      ),
      make(
        "dd",
        { class: "text" },
        make("span", { class: `pill ${BASIS[figure.basis]}` }, figure.basis),
        make("span", { class: "basis dim" }, figure.source),
      ),
    ),
  );
  return make("dl", { class: "figures" }, ...cells);
}

function explanation(test) {
  const { working, recommended } = test.recommendation;
  const isSame = (row) =>
    row.latency_ms === recommended.latency_ms && row.overhead_percent === recommended.overhead_percent;
  const alternatives = test.recommendation.alternatives.filter((row) => !isSame(row));
  const same = test.recommendation.alternatives.filter(isSame).map((row) => row.name);
  return [
    make(
      "div",
      { class: "block" },
      make("h3", {}, "How it was reached"),
      make("ol", { class: "working" }, ...working.map((sentence) => make("li", {}, sentence))),
    ),
    make(
      "div",
      { class: "block" },
      make("h3", {}, "Alternatives"),
      alternativesTable(test, [recommended, ...alternatives]),
      same.length ? make("p", { class: "dim small mb-0 mt-2" }, `The same as recommended: ${same.join(", ")}.`) : null,
    ),
  ];
}

function attempts(list, place) {
  const rows = list.map((attempt) =>
    make(
      "tr",
      {},
      make("td", {}, `${attempt.host}:${attempt.port}`),
      make("td", { class: "dim" }, attempt.label),
      make("td", { class: "r num" }, attempt.distance_km === null ? UNKNOWN : `${count(attempt.distance_km)} km`),
      make(
        "td",
        { class: "r num" },
        attempt.rtt_ms === null ? UNKNOWN : `${attempt.rtt_ms.toFixed(attempt.rtt_ms < 10 ? 2 : 1)} ms`,
      ),
      make("td", {}, attempt.problem ?? ""),
    ),
  );
  const heads = ["Server", "Place", "Distance", "RTT", "Why not"].map((name) =>
    make("th", { scope: "col", class: ["Distance", "RTT"].includes(name) ? "r" : "" }, name),
  );
  return make(
    "div",
    { class: "block" },
    make("h3", {}, place ? `Servers considered, from ${place}` : "Servers considered"),
    make(
      "div",
      { class: "table-responsive", tabindex: "0" },
      make("table", { class: "plain" }, make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows)),
    ),
  );
}
