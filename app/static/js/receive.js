// The form of a receive stream, new or edited: on success, go to the stream's page. Only the server has the rules.
import { ApiError, ask, pollOverview } from "./app.js";
import { byId } from "./dom.js";
import { bindPresets } from "./form_presets.js";
import { showProblem as showFormProblem } from "./form_faults.js";
import { bindPassphrase } from "./passphrase.js";

const form = byId("receive-form");
const passphrase = bindPassphrase(() => "receive");

const modeOf = () => form.elements.mode.value;

function showMode() {
  for (const box of form.querySelectorAll("[data-mode]")) box.hidden = box.dataset.mode !== modeOf();
  for (const box of form.querySelectorAll("[data-needs]")) box.hidden = !byId(box.dataset.needs).checked;
}

const showProblem = (message, faults) => showFormProblem(form, byId("form-problem"), message, faults);

async function submit(event) {
  event.preventDefault();
  byId("start-receive").disabled = true;
  showProblem("", {});
  try {
    const data = new URLSearchParams(new FormData(form)).toString();
    const view = await ask("POST", form.getAttribute("action") || location.pathname, { data });
    location.assign(`/stream/${encodeURIComponent(view.key)}`);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    showProblem(error.message, error.fields);
  } finally {
    byId("start-receive").disabled = false;
  }
}

pollOverview();
bindPresets(form, showProblem, form.elements.port);
form.addEventListener("submit", submit);
for (const control of [...form.elements.mode, byId("is_recorded"), byId("is_forwarded")])
  control.addEventListener("change", showMode);
showMode();
passphrase.refresh();
