// Faults of a form, each next to its field. A place for a fault names its field in `data-fault-of`.
import { byId, setText } from "./dom.js";

const isPartOf = (name, field) => name === field || name.startsWith(`${field}.`);

/** The fault of a field, or else of one of its parts; an empty text where there is none. */
export function faultOf(field, faults) {
  if (faults[field]) return faults[field];
  const part = Object.keys(faults).find((name) => isPartOf(name, field));
  return part ? faults[part] : "";
}

/** Whether there are faults, and each has one of these places. */
export function areAllPlaced(faults, places) {
  const names = Object.keys(faults);
  return names.length > 0 && names.every((name) => places.some((place) => isPartOf(name, place)));
}

/** The places whose fields the form shows now. */
const placesOf = (form) =>
  [...form.querySelectorAll("[data-fault-of]")].filter((place) => place.closest("[hidden]") === null);

/** Show every fault at its field; `only` names the fields to change, all if it is not given. */
export function showFaults(form, faults, only = null) {
  const shown = new Set(placesOf(form));
  for (const place of form.querySelectorAll("[data-fault-of]")) {
    const field = place.dataset.faultOf;
    if (only && !only.includes(field)) continue;
    showFault(place, shown.has(place) ? faultOf(field, faults) : "");
  }
}

function showFault(place, text) {
  setText(place, text);
  place.classList.toggle("d-block", Boolean(text));
  if (text) place.closest("details")?.setAttribute("open", "");
  const control = byId(place.id.replace(/-fault$/, ""));
  control?.classList.toggle("is-invalid", Boolean(text));
  if (text) control?.setAttribute("aria-invalid", "true");
  else control?.removeAttribute("aria-invalid");
}

/** Show the faults at their fields, and the message in `box` unless every fault has a field. Focus the first field. */
export function showProblem(form, box, message, faults) {
  const isPlaced = areAllPlaced(
    faults,
    placesOf(form).map((place) => place.dataset.faultOf),
  );
  setText(box, isPlaced ? "" : message);
  box.classList.toggle("d-none", isPlaced || !message);
  showFaults(form, faults);
  form.querySelector(".is-invalid:not(:disabled)")?.focus();
}
