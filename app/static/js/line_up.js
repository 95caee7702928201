// The plan of a line-up test, and the list of tests.
import { ask, poll } from "./app.js";
import { byId, make, setText } from "./dom.js";
import { showProblem } from "./form_faults.js";
import { dateAndTime } from "./format.js";
import { statedLimits } from "./line_up_limits.js";

const form = byId("plan-form");
const receiver = byId("receiver");
const TEXTS = [
  "production",
  "programme_at",
  "far_end",
  "contacts",
  "circuit_main",
  "circuit_backup",
  "resilience",
  "expected_services",
  "remarks",
];

function chosenReceiver() {
  const [kind, name] = receiver.value.split(/ (.*)/s);
  if (kind === "local") return { kind, key: name };
  if (kind === "remote") return { kind, host: name, key: byId("remote_key").value.trim() };
  if (kind === "probe") return { kind, report: name };
  return { kind: "none" };
}

// A text that is not a number is sent unchanged: the server names the field.
function statedBitrate() {
  const text = byId("bitrate_mbps").value.trim().replace(",", ".");
  if (!byId("rate_steps").checked || text === "") return null;
  return Number.isNaN(Number(text)) ? text : Number(text);
}

function plan() {
  const texts = Object.fromEntries(TEXTS.map((name) => [name, byId(name).value.trim()]));
  return {
    stream: byId("stream").value || null,
    receiver: chosenReceiver(),
    profile: byId("profile").value,
    restart_stream: byId("restart_stream").checked,
    rate_steps: byId("rate_steps").checked,
    bitrate_mbps: statedBitrate(),
    margin: byId("margin").checked,
    limits_name: byId("limits_name").value,
    limits: statedLimits(),
    ...texts,
  };
}

receiver.addEventListener("change", () => {
  byId("remote-key-row").hidden = !receiver.value.startsWith("remote ");
});
byId("rate_steps").addEventListener("change", () => {
  byId("bitrate-row").hidden = !byId("rate_steps").checked;
});
receiver.dispatchEvent(new Event("change"));

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  showProblem(form, byId("plan-problem"), "", {});
  byId("start").disabled = true;
  try {
    const run = await ask("POST", "/api/line-ups", { json: plan() });
    location.assign(`/line-up/${encodeURIComponent(run.id)}`);
  } catch (error) {
    showProblem(form, byId("plan-problem"), error.message, error.fields ?? {});
  } finally {
    byId("start").disabled = false;
  }
});

poll("/api/line-ups", 2000, ({ line_ups: runs }) => {
  byId("runs").replaceChildren(...runs.map(row));
  byId("runs-empty").hidden = runs.length > 0;
  setText(byId("runs-empty"), "No line-up test yet. Choose a stream and a receiver, and start one.");
});

function row(run) {
  const verdict = run.is_running ? `${run.state_text}, ${Math.floor(run.progress_percent)} %` : run.verdict_text;
  return make(
    "tr",
    { role: "row" },
    make(
      "td",
      { role: "cell" },
      make("a", { class: `verdict-${run.verdict ?? "none"}`, href: `/line-up/${encodeURIComponent(run.id)}` }, verdict),
    ),
    make("td", { role: "cell", class: "num" }, dateAndTime(run.started_at)),
    make("td", { role: "cell", class: "text-break" }, run.far_end || "–"),
    make("td", { role: "cell", class: "text" }, run.headline || "–"),
  );
}
