// The form of an impairment: from its fields to JSON and back, and the faults at their fields.
import { byId, setText } from "./dom.js";
import { showProblem } from "./form_faults.js";

const form = byId("relay-form");
const profile = byId("profile");
let profiles = new Map();

export const numberOf = (text) => Number(text.trim().replace(",", ".") || Number.NaN);

/** The numbers of a text, with spaces or semicolons between them. */
export const numbersOf = (text) =>
  text
    .split(/[\s;]+/)
    .filter(Boolean)
    .map(numberOf);

const fieldsOf = (side) => [...form.querySelectorAll(`[data-side=${side}]`)];
const valueAt = (part, path) => path.split(".").reduce((found, name) => found?.[name], part);

function setAt(part, path, value) {
  const [name, rest] = path.split(".");
  if (!rest) return { ...part, [name]: value };
  return { ...part, [name]: { ...part[name], [rest]: value } };
}

/** Bursts have two models: the fields that are filled in decide which one. */
function withKind(part) {
  if (!part?.bursts) return part;
  const { kind: _, loss_percent, mean_burst, ...four } = part.bursts;
  const isFour = Object.keys(four).some((name) => name.endsWith("_percent"));
  const bursts = isFour
    ? { kind: "gilbert_elliott", ...four }
    : { kind: "gilbert", loss_percent, mean_burst: mean_burst ?? 3 };
  return { ...part, bursts };
}

/** One direction: the profile's figures with those of the form over them; null where neither says anything. */
function direction(side) {
  const filled = fieldsOf(side).filter((field) => field.value.trim());
  const base = profiles.get(profile.value)?.[side];
  if (!base && !filled.length) return null;
  const isText = (field) => field.tagName === "SELECT";
  const typesBursts = filled.some((field) => field.dataset.figure.startsWith("bursts."));
  const start = typesBursts ? { ...base, bursts: undefined } : { ...base };
  return withKind(
    filled.reduce(
      (part, field) => setAt(part, field.dataset.figure, isText(field) ? field.value : numberOf(field.value)),
      start,
    ),
  );
}

/** The impairment as the API takes it. */
export function impairment() {
  return {
    profile: profile.value || null,
    seed: numberOf(byId("seed").value),
    event_speed: numberOf(byId("event_speed").value),
    events: numbersOf(byId("rebinds").value).map((at_s) => ({ kind: "rebind", at_s })),
    to_target: direction("to_target"),
    to_caller: direction("to_caller"),
  };
}

/** Fill an impairment into the fields; zeros and missing values stay empty. */
export function fill(made) {
  profile.value = "";
  profile.dispatchEvent(new Event("change"));
  byId("seed").value = made.seed;
  byId("event_speed").value = made.event_speed;
  byId("rebinds").value = made.events
    .filter(({ kind }) => kind === "rebind")
    .map(({ at_s }) => at_s)
    .join(" ");
  for (const side of ["to_target", "to_caller"]) {
    for (const field of fieldsOf(side)) {
      const value = valueAt(made[side], field.dataset.figure);
      field.value = value === undefined || value === null || value === 0 || value === "all" ? "" : value;
    }
    for (const details of form.querySelectorAll("details"))
      details.open = [...details.querySelectorAll("[data-side]")].some((field) => field.value);
  }
}

/** Show the faults of the form at their fields, and the message where one has none. */
export const showFaults = (faults, message) => showProblem(form, byId("relay-problem"), message, faults);

/** Store the profiles, and show what an empty field means. */
export function useProfiles(found) {
  profiles = new Map(found.map((each) => [each.name, each]));
  profile.dispatchEvent(new Event("change"));
}

profile.addEventListener("change", () => {
  setText(byId("citation"), profile.selectedOptions[0]?.dataset.citation ?? "");
  for (const side of ["to_target", "to_caller"]) {
    for (const field of fieldsOf(side))
      field.placeholder =
        valueAt(profiles.get(profile.value)?.[side], field.dataset.figure) ??
        (field.dataset.figure.includes(".") ? "" : "0");
  }
});
