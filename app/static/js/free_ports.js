// The ports that the form of a listener offers.
import { make } from "./dom.js";

/** The ports to offer: the free ones, after the chosen one where its fault must stay visible. */
export function portsToOffer(free, { chosen, isFaulty }) {
  const keepsChosen = isFaulty && chosen && !free.includes(Number(chosen));
  return keepsChosen ? [Number(chosen), ...free] : free;
}

/** Offer the ports that are free now; the choice stays while it is one of them. Returns whether they have changed. */
export function offerPorts(select, free) {
  const shown = free.join();
  if (select.dataset.shown === shown) return false;
  select.dataset.shown = shown;
  const chosen = select.value;
  const offered = portsToOffer(free, { chosen, isFaulty: select.classList.contains("is-invalid") });
  select.replaceChildren(...offered.map((port) => make("option", { value: port }, String(port))));
  if (offered.map(String).includes(chosen)) select.value = chosen;
  return true;
}
