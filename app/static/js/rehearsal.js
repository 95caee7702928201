// One rehearsal: its progress, and a table that fills while it runs.
import { ask, poll, pollOverview } from "./app.js";
import { byId, make, setClass, setText } from "./dom.js";
import { count, duration, ms, percent, withUnit } from "./format.js";

const path = `/api/rehearsals/${encodeURIComponent(byId("run").dataset.id)}`;
const KINDS = { held: "pass", failed: "fail", unclear: "remark" };

const polling = poll(path, 1000, (run) => {
  setText(byId("headline"), run.headline);
  setClass(
    byId("headline"),
    `verdict mb-1 ${run.is_running ? "" : run.lowest_held_ms === null ? "verdict-fail" : "verdict-pass"}`,
  );
  byId("progress-bar").style.width = `${run.progress_percent}%`;
  byId("progress").hidden = !run.is_running;
  byId("progress").setAttribute("aria-valuenow", String(Math.round(run.progress_percent)));
  setText(
    byId("remaining"),
    run.remaining_s === null ? run.state_text : `${run.state_text}, ${duration(run.remaining_s)} remaining`,
  );
  byId("cancel").hidden = !run.is_running;
  byId("attempts").replaceChildren(...run.attempts.map(row));
  if (!run.is_running) polling.stop?.();
});
pollOverview(); // the head stays current after the rehearsal, when the poll above has ended

function cell(text) {
  return make("td", { role: "cell", class: "r num" }, text);
}

function overhead(attempt) {
  const [mean, peak] = [attempt.overhead_percent, attempt.overhead_peak_percent].map(percent);
  return `${withUnit(mean, "%")}, peak ${withUnit(peak, "%")}`;
}

function row(attempt) {
  const has = attempt.seconds > 0;
  const shown = (text) => cell(has ? text : "–");
  const verdict = make("td", { role: "cell" }, make("strong", {}, attempt.verdict_text));
  if (attempt.reason) verdict.append(make("span", { class: "sub" }, attempt.reason));
  if (attempt.receiver)
    verdict.append(" ", make("a", { href: `/stream/${encodeURIComponent(attempt.receiver)}` }, "receiver"));
  return make(
    "tr",
    { role: "row", class: `line-${KINDS[attempt.verdict] ?? "none"}` },
    cell(withUnit(String(attempt.latency_ms), "ms")),
    cell(attempt.rtt_multiple === null ? "–" : String(attempt.rtt_multiple)),
    shown(count(attempt.dropped)),
    shown(attempt.gaps ? `${count(attempt.gaps)}, up to ${withUnit(ms(attempt.longest_gap_ms), "ms")}` : "none"),
    shown(count(attempt.continuity_errors)),
    shown(overhead(attempt)),
    cell(withUnit(String(attempt.seconds), "s")),
    verdict,
  );
}

byId("cancel").addEventListener("click", async ({ currentTarget }) => {
  currentTarget.disabled = true;
  await ask("POST", `${path}/cancel`);
  polling();
});
