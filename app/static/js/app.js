// The common part of every page: requests, one poll, the head with the worst state, dialogs, keys, the theme.
import { byId, icon, make, setClass, setText } from "./dom.js";
import { colourOf, summary } from "./lamps.js";
import { duration, timeOfDay } from "./format.js";

const $ = window.jQuery;
const bootstrap = window.bootstrap;
const PAGE_TITLE = document.title;
const REQUEST_TIMEOUT_MS = 10_000;

/** Send a request to the API. Returns a promise of the decoded answer; it fails with an ApiError. */
export function ask(method, url, { data, json } = {}) {
  const request = {
    method,
    url,
    timeout: REQUEST_TIMEOUT_MS,
    dataType: "json",
    headers: { "X-CSRFToken": document.querySelector("meta[name=csrf-token]").content, Accept: "application/json" },
  };
  if (json !== undefined) Object.assign(request, { data: JSON.stringify(json), contentType: "application/json" });
  else if (data !== undefined) request.data = data;
  return new Promise((resolve, reject) => {
    $.ajax(request).then(resolve, (answer) => reject(new ApiError(answer)));
  });
}

/** Why a request failed: `message` for people, `fields` by their name in the API. `status` 0: no answer. */
export class ApiError extends Error {
  constructor(answer) {
    const error = answer.responseJSON?.error;
    super(error?.message ?? (answer.status ? `The server answered ${answer.status}.` : "No answer from the server."));
    this.status = answer.status;
    this.code = error?.code ?? "";
    this.fields = error?.fields ?? {};
  }
}

/**
 * Repeat a request, one at a time, paused while the tab is hidden. `url` may be a function.
 * Returns a function that polls immediately; its `stop` waits for a pending answer, and `again` continues.
 */
export function poll(url, everyMs, onAnswer) {
  const polling = new Polling(url, everyMs, onAnswer);
  document.addEventListener("visibilitychange", () => polling.turn());
  polling.turn();
  return Object.assign(() => polling.turn(), { stop: () => polling.stop(), again: () => polling.again() });
}

class Polling {
  constructor(url, everyMs, onAnswer) {
    Object.assign(this, { url, everyMs, onAnswer });
    this.timer = 0;
    this.answeredAt = Date.now();
    this.isAsking = false;
    this.isStopped = false;
    this.asked = Promise.resolve();
  }

  turn() {
    clearTimeout(this.timer);
    if (!document.hidden && !this.isAsking && !this.isStopped) this.asked = this.askOnce();
  }

  async askOnce() {
    this.isAsking = true;
    try {
      const answer = await ask("GET", typeof this.url === "function" ? this.url() : this.url);
      this.answeredAt = Date.now();
      showConnected();
      if (answer.overview) showOverview(answer.overview);
      this.onAnswer(answer);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 404) this.onAnswer(null);
      else showStale(error, this.answeredAt);
    } finally {
      this.isAsking = false;
      if (!this.isStopped) this.timer = setTimeout(() => this.turn(), this.everyMs);
    }
  }

  stop() {
    this.isStopped = true;
    clearTimeout(this.timer);
    return this.asked;
  }

  again() {
    this.isStopped = false;
    this.turn();
  }
}

function showConnected() {
  document.body.classList.remove("is-stale");
}

function showStale(error, answeredAt) {
  document.body.classList.add("is-stale");
  const age = Math.round((Date.now() - answeredAt) / 1000);
  const words =
    error.status === 401
      ? "This page has lost its session. Load it again."
      : `${error.message} Last update ${timeOfDay(answeredAt / 1000)} UTC, ` +
        `${age < 120 ? `${age} s` : duration(age)} ago. Streams keep running.`;
  setText(byId("connection-lost"), words);
  document.title = `◌ no answer · ${PAGE_TITLE}`;
  setFavicon("stale");
}

const MARKS = { fault: "✖", attention: "▲", good: "▶", idle: "○" };

/** Show the worst state of all streams in head, title and favicon. */
export function showOverview(overview) {
  const [severity, words] = summary(overview);
  document.title = `${MARKS[severity]} ${words} · ${PAGE_TITLE}`;
  setFavicon(severity);
  const lamp = byId("overview");
  if (!lamp) return;
  const icons = {
    fault: "fa-solid fa-triangle-exclamation",
    attention: "fa-solid fa-circle-exclamation",
    good: "fa-solid fa-circle-check",
    idle: "fa-regular fa-circle",
  };
  if (lamp.dataset.words !== words) {
    lamp.dataset.words = words;
    setClass(lamp, `state ${colourOf(severity)}`);
    lamp.replaceChildren(icon(icons[severity]), words);
  }
  byId("clock").replaceChildren(timeOfDay(overview.now), make("span", { class: "unit" }, "UTC"));
  setText(byId("hostname"), overview.hostname ?? "");
}

function setFavicon(state) {
  const link = byId("favicon");
  const href = link.dataset[state];
  if (link.getAttribute("href") !== href) link.setAttribute("href", href);
}

/** Show a message in the corner for some seconds. */
export function announce(text) {
  const note = make("div", {}, text);
  byId("toasts").append(note);
  setTimeout(() => note.remove(), 7000);
}

/** Show a message with a button in the corner for `forMs`. */
export function offer(text, word, forMs, act) {
  const button = make("button", { type: "button", class: "btn btn-q btn-sm ms-2" }, word);
  const note = make("div", {}, text, button);
  button.addEventListener("click", () => {
    note.remove();
    act();
  });
  byId("toasts").append(note);
  setTimeout(() => note.remove(), forMs);
}

/** Copy a node's text. If the browser does not allow this, select the text for the user to copy. */
export async function copyText(node) {
  try {
    // Absent without HTTPS, and refused if the user or an administrator forbade it.
    if (!navigator.clipboard) throw new DOMException("", "NotAllowedError");
    await navigator.clipboard.writeText(node.textContent);
    announce("Copied");
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    node.focus();
    getSelection().selectAllChildren(node);
    announce("Selected: press Ctrl-C. This browser does not let this page copy the text.");
  }
}

/** Show a dialog; when it closes, the focus returns to the earlier element. Returns Bootstrap's Modal. */
export function openDialog(dialog) {
  const before = document.activeElement;
  const modal = bootstrap.Modal.getOrCreateInstance(dialog);
  const release = isolate(dialog);
  const close = () => {
    release();
    before?.focus({ preventScroll: true });
  };
  dialog.addEventListener("hidden.bs.modal", close, { once: true });
  modal.show();
  return modal;
}

/**
 * Make everything except a dialog unreachable for keys and screen readers, including a dialog below it. Returns a
 * function that undoes this. Bootstrap's focus trap does not survive a second dialog over the first.
 */
function isolate(dialog) {
  const changed = [];
  const setInert = (node, isInert) => {
    if (node.inert === isInert || node.matches("#toasts, script, .modal-backdrop")) return;
    node.inert = isInert;
    changed.push(node);
  };
  for (let node = dialog; node !== document.body; node = node.parentElement) {
    setInert(node, false);
    for (const other of node.parentElement.children) if (other !== node) setInert(other, true);
  }
  return () => {
    for (const node of changed) node.inert = !node.inert;
  };
}

/** Ask for a confirmation. Returns a promise of true or false. */
export function confirm({ title, text, yes }) {
  const dialog = byId("confirm");
  setText(byId("confirm-title"), title);
  setText(byId("confirm-text"), text);
  setText(byId("confirm-yes"), yes);
  const modal = openDialog(dialog);
  return new Promise((resolve) => {
    let said = false;
    const accept = () => {
      said = true;
      modal.hide();
    };
    byId("confirm-yes").addEventListener("click", accept, { once: true });
    dialog.addEventListener(
      "hidden.bs.modal",
      () => {
        byId("confirm-yes").removeEventListener("click", accept);
        resolve(said);
      },
      { once: true },
    );
  });
}

const keys = new Map();

/** Bind a key while no text is being typed, and list it in the help. */
export function onKey(key, words, act) {
  keys.set(key, { words, act });
}

function keysAreOn() {
  return localStorage.getItem("keys") !== "off";
}

function isTyping(target) {
  return target.closest("input, select, textarea, [contenteditable]") !== null;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || !keysAreOn()) return;
  if (isTyping(event.target) || document.querySelector(".modal.show")) return;
  // Enter on a link or button activates that link or button.
  if (event.key === "Enter" && event.target.closest("a, button")) return;
  const bound = keys.get(event.key);
  if (!bound) return;
  event.preventDefault();
  bound.act();
});

function showHelp() {
  const rows = [...keys].map(([key, { words }]) =>
    make("tr", {}, make("td", {}, make("kbd", {}, key)), make("td", {}, words)),
  );
  byId("help-keys").replaceChildren(...rows);
  byId("keys-on").checked = keysAreOn();
  openDialog(byId("help"));
}

onKey("?", "this help", showHelp);
byId("show-help")?.addEventListener("click", showHelp);
byId("keys-on").addEventListener("change", (event) =>
  localStorage.setItem("keys", event.target.checked ? "on" : "off"),
);
const NEXT_THEME = { dark: "light", light: "system", system: "dark" };
const systemIsLight = matchMedia("(prefers-color-scheme: light)");

function showTheme() {
  const chosen = localStorage.getItem("theme") ?? "dark";
  const isLight = chosen === "light" || (chosen === "system" && systemIsLight.matches);
  document.documentElement.dataset.bsTheme = isLight ? "light" : "dark";
  document.dispatchEvent(new Event("themechange"));
}

byId("switch-theme")?.addEventListener("click", () => {
  const chosen = NEXT_THEME[localStorage.getItem("theme") ?? "dark"] ?? "dark";
  localStorage.setItem("theme", chosen);
  byId("switch-theme").title = chosen === "system" ? "Theme: as the system" : `Theme: ${chosen}`;
  showTheme();
});
systemIsLight.addEventListener("change", showTheme);

/** For pages without their own poll: keep the head up to date. */
export function pollOverview() {
  poll("/api/overview", 5000, () => {});
}
