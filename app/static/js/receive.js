// The page that starts a receive stream: on success, to the stream's own page. The rules are the server's alone.
import { ApiError, ask, pollOverview } from "./app.js";
import { byId, setText } from "./dom.js";
import { bindPassphrase } from "./passphrase.js";

const form = byId("receive-form");
const passphrase = bindPassphrase(() => "receive");

const modeOf = () => form.elements.mode.value;

function showMode() {
  for (const box of form.querySelectorAll("[data-mode]")) box.hidden = box.dataset.mode !== modeOf();
  for (const box of form.querySelectorAll("[data-needs]")) box.hidden = !byId(box.dataset.needs).checked;
}

function showFaults(fields) {
  for (const place of form.querySelectorAll("[data-fault-of]")) {
    const isShown = place.closest("[hidden]") === null;
    const text = isShown ? (fields[place.dataset.faultOf] ?? "") : "";
    setText(place, text);
    place.classList.toggle("d-block", Boolean(text));
    const control = byId(place.id.replace(/-fault$/, ""));
    control?.classList.toggle("is-invalid", Boolean(text));
    if (text) control?.setAttribute("aria-invalid", "true");
    else control?.removeAttribute("aria-invalid");
  }
}

function showProblem(message, fields) {
  showFaults(fields);
  const isPlaced = form.querySelector(".is-invalid") !== null;
  setText(byId("form-problem"), isPlaced ? "" : message);
  byId("form-problem").classList.toggle("d-none", isPlaced || !message);
  form.querySelector(".is-invalid")?.focus();
}

async function submit(event) {
  event.preventDefault();
  byId("start-receive").disabled = true;
  showProblem("", {});
  try {
    const view = await ask("POST", location.pathname, { data: new URLSearchParams(new FormData(form)).toString() });
    location.assign(`/stream/${encodeURIComponent(view.key)}`);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    showProblem(error.message, error.fields);
  } finally {
    byId("start-receive").disabled = false;
  }
}

pollOverview();
form.addEventListener("submit", submit);
for (const control of [...form.elements.mode, byId("is_recorded"), byId("is_forwarded")])
  control.addEventListener("change", showMode);
showMode();
passphrase.refresh();
