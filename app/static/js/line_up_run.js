// One line-up test: its verdict so far, progress, graph and tables.
import { ask, poll, pollOverview } from "./app.js";
import { byId, make, setClass, setText } from "./dom.js";
import { dateAndTime, duration, timeOfDay } from "./format.js";

const id = byId("run").dataset.id;
const path = `/api/line-ups/${encodeURIComponent(id)}`;
let chart = null;

const polling = poll(path, 2000, (run) => {
  setText(byId("verdict"), run.is_running ? `${run.state_text}: ${run.verdict_text} so far` : run.verdict_text);
  setClass(byId("verdict"), `verdict mb-1 verdict-${run.verdict ?? "none"}`);
  setText(byId("headline"), [run.headline, run.problem].filter(Boolean).join(" "));
  byId("progress-bar").style.width = `${run.progress_percent}%`;
  byId("progress").hidden = !run.is_running;
  byId("progress").setAttribute("aria-valuenow", String(Math.round(run.progress_percent)));
  setText(byId("ends"), [run.facts.stream, run.facts.receiver].filter(Boolean).join(" → "));
  setText(
    byId("remaining"),
    run.remaining_s === null ? `${run.state_text}. ${run.tested_text}` : `${duration(run.remaining_s)} remaining`,
  );
  byId("cancel").hidden = !run.is_running;
  byId("lines").replaceChildren(...run.lines.map(lineRow));
  byId("checks").replaceChildren(...run.checks.map(checkRow));
  if (!run.checks.length) byId("checks").append(emptyRow(run.is_running ? "No check so far." : "No check was made."));
  byId("run-events").replaceChildren(
    ...run.events.map((event) =>
      make("li", {}, make("time", { class: "num", datetime: event.at }, dateAndTime(event.at)), event.text),
    ),
  );
  if (!run.events.length)
    byId("run-events").append(
      make("li", { class: "dim" }, run.is_running ? "Nothing happened so far." : "Nothing happened."),
    );
  draw(run.graph);
  if (!run.is_running) polling.stop?.();
});
pollOverview(); // the head stays current after the test, when the poll above has ended

function cell(text, kind = "") {
  return make("td", { role: "cell", class: kind }, text);
}

function emptyRow(text) {
  return make("tr", { role: "row" }, make("td", { role: "cell", class: "dim", colspan: "5" }, text));
}

function lineRow(line) {
  const title = make("td", { role: "cell" }, line.title);
  if (line.note) title.append(make("span", { class: "sub" }, line.note));
  const verdict = make("td", { role: "cell" }, make("strong", {}, line.verdict_text));
  return make(
    "tr",
    { role: "row", class: `line-${line.limit === null ? "none" : line.verdict}` },
    title,
    verdict,
    cell(line.got_text, "r num"),
    cell(line.limit_text, "r num"),
    cell(line.margin_text, "r num"),
    cell(line.before_text || "–", "r num"),
    cell(line.worst_at ? timeOfDay(line.worst_at) : "", "num"),
  );
}

function checkRow(check) {
  return make(
    "tr",
    { role: "row", class: `line-${check.verdict}` },
    cell(check.title),
    make("td", { role: "cell" }, make("strong", {}, check.verdict_text)),
    cell(check.asked),
    cell(check.got),
    cell(check.limit),
  );
}

function draw(graph) {
  const labels = graph.gap_ms.map((_, index) => timeOfDay(graph.begins_at + (index + 1) * graph.step_s));
  const lost = graph.lost.map((value) => (value === null ? null : -value));
  if (chart === null) {
    const style = getComputedStyle(document.documentElement);
    window.Chart.defaults.color = style.getPropertyValue("--bs-body-color");
    window.Chart.defaults.font.family = style.getPropertyValue("--bs-font-monospace");
    chart = new window.Chart(byId("graph"), {
      type: "bar",
      data: {
        labels,
        datasets: [
          {
            label: "Output gap, ms",
            data: graph.gap_ms,
            backgroundColor: style.getPropertyValue("--svt-blue") || "#3b82c4",
          },
          { label: "Packets lost", data: lost, backgroundColor: "#E13241" },
        ],
      },
      options: {
        animation: false,
        maintainAspectRatio: false,
        scales: {
          x: { stacked: true, ticks: { maxTicksLimit: 8 } },
          y: { stacked: true, ticks: { callback: (value) => Math.abs(value) } },
        },
      },
    });
    return;
  }
  chart.data.labels = labels;
  chart.data.datasets[0].data = graph.gap_ms;
  chart.data.datasets[1].data = lost;
  chart.update("none");
}

byId("cancel").addEventListener("click", async () => {
  byId("cancel").disabled = true;
  await ask("POST", `${path}/cancel`);
});
