// Values that a network test put into the form: their origin is shown, and the form is scrolled into view.
import { make } from "./dom.js";
import { timeOfDay } from "./format.js";

const HOST_CHARACTERS = 80;
const FILLS_WITHIN_MS = 3000;

/** Scroll to the filled field, focus it and name the test, when the page's address says that a test filled it. */
export function showOrigin(form) {
  const query = new URLSearchParams(location.search);
  const host = query.get("tested_host")?.slice(0, HOST_CHARACTERS);
  if (!host || !query.has("latency_ms")) return;
  const at = Number(query.get("tested_at"));
  const when = at > 0 ? `, ${timeOfDay(at)} UTC` : "";
  const field = form.elements.latency_ms;
  const words = `Latency and overhead are from the test to ${host}${when}.`;
  field.closest(".row").before(make("p", { class: "note", id: "form-origin", role: "status" }, words));
  field.focus({ preventScroll: true });
  keepInView(field);
}

/** Keep a field in view while the page above it fills with its first answers, unless the operator moves first. */
function keepInView(field) {
  const observer = new ResizeObserver(() => field.scrollIntoView({ block: "center" }));
  const stop = () => observer.disconnect();
  observer.observe(document.body);
  for (const moved of ["wheel", "touchstart", "pointerdown", "keydown"]) addEventListener(moved, stop, { once: true });
  setTimeout(stop, FILLS_WITHIN_MS);
}
