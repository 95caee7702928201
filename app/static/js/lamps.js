// The display of a state: icon, colour class and word, the same on every page.
import { icon, make, setClass, setText } from "./dom.js";
import { count } from "./format.js";

const ICONS = {
  fault: "fa-solid fa-circle-xmark",
  attention: "fa-solid fa-circle-exclamation",
  good: "fa-solid fa-circle-play",
};
export const IDLE_ICONS = {
  starting: "fa-solid fa-circle-notch fa-spin",
  stopping: "fa-solid fa-circle-notch fa-spin",
  waiting: "fa-regular fa-circle",
  stopped: "fa-regular fa-circle-stop",
};
const COLOURS = { fault: "bad", attention: "warn", good: "good", idle: "idle" };

export const colourOf = (severity) => COLOURS[severity] ?? "idle";

/** Make a lamp; `setLamp` sets its state. */
export function makeLamp() {
  return make("span", { class: "state idle" }, icon("fa-regular fa-circle"), make("span"));
}

/** Set a lamp made by makeLamp to the state of a stream. */
export function setLamp(lamp, stream) {
  setClass(lamp, `state ${colourOf(stream.severity)}`);
  setClass(lamp.firstChild, ICONS[stream.severity] ?? IDLE_ICONS[stream.phase] ?? "fa-regular fa-circle");
  setText(lamp.children[1], stateWords(stream));
  showImpaired(lamp, stream);
}

const stateWords = ({ phase_text: words, retry_in_s: wait }) =>
  typeof wait === "number" ? `${words} in ${Math.ceil(wait)} s` : words;

/** How often a stream was restarted; while it waits for a restart, the number of the next attempt. */
export function attempts({ retry_in_s: wait, restarts }) {
  if (typeof wait === "number") return `attempt ${count(restarts + 1)}`;
  if (!restarts) return null;
  return `${count(restarts)} ${restarts === 1 ? "restart" : "restarts"}`;
}

/** A stream through a relay of this host must not be mistaken for one on a real link. */
function showImpaired(lamp, { impaired_by: relay }) {
  const badge = lamp.querySelector(".impaired");
  if (relay && !badge) lamp.append(impairedBadge(relay));
  else if (!relay) badge?.remove();
}

function impairedBadge(relay) {
  return make(
    "span",
    { class: "impaired", title: `Impaired on purpose by the relay ${relay} of this host` },
    icon("fa-solid fa-flask"),
    " IMPAIRED",
  );
}

/** The state of all streams together: severity and text. */
export function summary(overview) {
  const many = (number, one, more) => `${number} ${number === 1 ? one : more}`;
  if (overview.fault) return ["fault", many(overview.fault, "fault", "faults")];
  if (overview.attention) return ["attention", many(overview.attention, "warning", "warnings")];
  if (overview.on_air) return ["good", `${overview.on_air} on air, all well`];
  return ["idle", "Nothing on air"];
}

/** Return how a stream meets its far end, as nodes; a receive stream has its icon and word. */
export function modeMark(direction, mode) {
  const words = mode === "caller" ? "Caller" : "Listener";
  return direction === "receive" ? [icon("fa-solid fa-download"), ` Receive · ${words.toLowerCase()}`] : [words];
}
