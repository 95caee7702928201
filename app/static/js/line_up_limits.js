// The limits of a line-up test: chosen among the saved ones, changed, saved and deleted.
import { announce, ask } from "./app.js";
import { byId, make } from "./dom.js";
import { showProblem } from "./form_faults.js";

const PATH = "/api/line-up-limits";
const chosen = byId("limits_name");
const fields = [...document.querySelectorAll("[data-limit]")];
let saved = [];

/** The limits as the form states them; null for one that may be empty and is. */
export function statedLimits() {
  return Object.fromEntries(fields.map((field) => [field.dataset.limit, stated(field)]));
}

function stated({ value, defaultValue }) {
  return value.trim() === "" && defaultValue === "" ? null : Number(value.replace(",", "."));
}

async function load(name) {
  ({ limits: saved } = await ask("GET", PATH));
  chosen.replaceChildren(chosen.options[0], ...saved.map((each) => make("option", { value: each.name }, each.name)));
  chosen.value = name;
  show();
}

function show() {
  const limits = saved.find(({ name }) => name === chosen.value)?.limits;
  for (const field of fields) field.value = limits ? String(limits[field.dataset.limit] ?? "") : field.defaultValue;
  byId("forget-limits").disabled = !limits;
}

/** Run an action, and show next to the field why it failed. */
async function attempt(act) {
  const faults = (message, fields) => showProblem(byId("plan-form"), byId("plan-problem"), message, fields);
  faults("", {});
  try {
    await act();
  } catch (error) {
    const fields = Object.entries(error.fields ?? {});
    faults(error.message, Object.fromEntries(fields.map(([name, text]) => [fieldOf(name), text])));
  }
}

/** The field of the form for a field of the API's document: limits[0].limits.rtt_spread_max_ms. */
function fieldOf(name) {
  const limit = name.match(/\.(limits\..+)$/);
  return limit ? limit[1] : "save_as";
}

chosen.addEventListener("change", show);
byId("save-limits").addEventListener("click", () =>
  attempt(async () => {
    const name = byId("save_as").value.trim();
    await ask("POST", PATH, { json: { limits: [{ name, limits: statedLimits() }] } });
    await load(name);
    announce(`Limits saved as ${name}`);
  }),
);
byId("forget-limits").addEventListener("click", () =>
  attempt(async () => {
    const name = chosen.value;
    await ask("DELETE", `${PATH}/${encodeURIComponent(name)}`);
    await load("");
    announce(`Limits ${name} deleted`);
  }),
);
attempt(() => load(""));
