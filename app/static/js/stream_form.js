// The form that starts a stream. Typed values stay until the stream is on air. Only the server has the rules.
import { ApiError, ask } from "./app.js";
import { offerChannels } from "./channel_list.js";
import { byId, setText } from "./dom.js";
import { showFaults, showProblem } from "./form_faults.js";
import { bindPresets } from "./form_presets.js";
import { showOrigin } from "./form_origin.js";
import { offerPorts } from "./free_ports.js";
import { LinkBudget } from "./link_budget.js";
import { bindMediaBrowser } from "./media_browser.js";
import { bindPassphrase } from "./passphrase.js";
import { describeMedia } from "./media_words.js";

const STARTING = "Starting …";

/** Set up the page's form; `started` gets the new stream's view. */
export function bindStreamForm(started) {
  const form = new StreamForm(byId("stream-form"), started);
  form.bind();
  return form;
}

class StreamForm {
  constructor(form, started) {
    this.form = form;
    this.fields = form.elements;
    this.button = byId("start-stream");
    this.started = started;
    this.bitrateBps = null;
    this.budget = new LinkBudget(byId("budget"));
    this.passphrase = bindPassphrase(() => this.fields.mode.value);
    this.browser = bindMediaBrowser((path) => this.chooseFile(path));
  }

  bind() {
    bindPresets(this.form, (message, faults) => this.showProblem(message, faults), byId("far_port"));
    this.form.addEventListener("submit", (event) => this.submit(event));
    this.form.addEventListener("input", () => this.showBudget());
    for (const radio of this.fields.mode) radio.addEventListener("change", () => this.showMode());
    for (const radio of this.fields.source_kind) radio.addEventListener("change", () => this.showSource());
    this.fields.path.addEventListener("change", () => this.checkFile());
    byId("browse-media").addEventListener("click", () => this.browser.open(this.fields.path.value));
    this.showSource();
    this.showMode();
    showOrigin(this.form);
    if (this.fields.path.value) this.checkFile();
    this.form.dataset.ready = "";
  }

  focus() {
    this.fields.name.focus();
  }

  choose(mode) {
    this.fields.mode.value = mode;
    this.showMode();
  }

  /** Clear the name; other values may be used for the next stream. */
  forgetName() {
    this.fields.name.value = "";
  }

  /** Offer the ports that are free now. A listener needs one. */
  showFreePorts(ports) {
    const hasChanged = offerPorts(byId("port"), ports);
    if (hasChanged && this.fields.mode.value === "listener") this.button.disabled = ports.length === 0;
  }

  showSource() {
    const kind = this.fields.source_kind.value;
    for (const box of this.form.querySelectorAll("[data-source]")) box.hidden = box.dataset.source !== kind;
    if (kind === "multicast") offerChannels(this.form);
    this.showBudget();
  }

  /** Show the fields of the chosen mode; those of the other are not sent. */
  showMode() {
    const mode = this.fields.mode.value;
    for (const box of this.form.querySelectorAll("[data-endpoint]")) {
      box.hidden = box.dataset.endpoint !== mode;
      for (const control of box.querySelectorAll("input, select")) control.disabled = box.hidden;
    }
    setText(this.button, this.button.dataset[mode]);
    this.button.disabled = mode === "listener" && !byId("port").value;
    this.passphrase.refresh();
  }

  showBudget() {
    this.budget.show({
      latencyMs: this.fields.latency_ms.value,
      overheadPercent: this.fields.overhead_percent.value,
      bitrateBps: this.fields.source_kind.value === "file" ? this.bitrateBps : null,
    });
  }

  chooseFile(path) {
    this.fields.path.value = path;
    this.checkFile();
    this.fields.path.focus();
  }

  async checkFile() {
    const path = this.fields.path.value.trim();
    const hint = byId("path-hint");
    this.bitrateBps = null;
    if (!path) return setText(hint, "An MPEG transport stream, .ts");
    try {
      const check = await ask("GET", `/api/media/check?path=${encodeURIComponent(path)}`);
      if (this.fields.path.value.trim() !== path) return;
      this.bitrateBps = check.bitrate_bps;
      setText(hint, describeMedia(check));
      showFaults(this.form, {}, ["source.path"]);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setText(hint, "");
      showFaults(this.form, error.fields, ["source.path"]);
    }
    this.showBudget();
  }

  showProblem(message, faults) {
    showProblem(this.form, byId("form-problem"), message, faults);
  }

  async submit(event) {
    event.preventDefault();
    const words = this.button.textContent;
    this.button.disabled = true;
    setText(this.button, STARTING);
    this.showProblem("", {});
    try {
      const data = new URLSearchParams(new FormData(this.form)).toString();
      this.started(await ask("POST", this.form.getAttribute("action") ?? location.pathname, { data }));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.showProblem(error.message, error.fields);
      // The server reads the file only when every other field is right, so its last known fault stays at its field.
      if (this.fields.source_kind.value === "file" && !error.fields["source.path"]) this.checkFile();
    } finally {
      setText(this.button, words);
      this.button.disabled = false;
    }
  }
}
