// The form that starts a stream. What is typed stays until the stream is on air; the rules are the server's alone.
import { ApiError, ask } from "./app.js";
import { byId, make, setText } from "./dom.js";
import { bindPresets } from "./form_presets.js";
import { showOrigin } from "./form_origin.js";
import { bindMediaBrowser } from "./media_browser.js";
import { bindPassphrase } from "./passphrase.js";
import { describeMedia } from "./media_words.js";

const STARTING = "Starting …";

/** Bring the page's form to life; `started` gets the new stream's view. */
export function bindStreamForm(started) {
  const form = byId("stream-form");
  const passphrase = bindPassphrase(() => form.elements.mode.value);
  let bitrateBps = null;

  function showSource() {
    const kind = form.elements.source_kind.value;
    for (const box of form.querySelectorAll("[data-source]")) box.hidden = box.dataset.source !== kind;
    if (kind === "multicast") loadChannels();
    showBudget();
  }

  /** Show the fields of the chosen mode; those of the other are not sent. */
  function showMode() {
    const mode = form.elements.mode.value;
    for (const box of form.querySelectorAll("[data-endpoint]")) {
      box.hidden = box.dataset.endpoint !== mode;
      for (const control of box.querySelectorAll("input, select")) control.disabled = box.hidden;
    }
    const button = byId("start-stream");
    setText(button, button.dataset[mode]);
    button.disabled = mode === "listener" && !byId("port").value;
    passphrase.refresh();
  }

  const budget = askLatest(byId("budget"), (query) => ask("GET", `/api/link-budget?${query}`));

  function showBudget() {
    const query = {
      latency_ms: form.elements.latency_ms.value,
      overhead_percent: form.elements.overhead_percent.value,
    };
    if (form.elements.source_kind.value === "file" && bitrateBps) query.bitrate_bps = bitrateBps;
    budget.show(new URLSearchParams(query).toString());
  }

  async function checkFile() {
    const path = form.elements.path.value.trim();
    const hint = byId("path-hint");
    bitrateBps = null;
    if (!path) return setText(hint, "An MPEG transport stream, .ts");
    try {
      const check = await ask("GET", `/api/media/check?path=${encodeURIComponent(path)}`);
      if (form.elements.path.value.trim() !== path) return;
      bitrateBps = check.bitrate_bps;
      setText(hint, describeMedia(check));
      showFaults({}, ["source.path"]);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setText(hint, "");
      showFaults(error.fields, ["source.path"]);
    }
    showBudget();
  }

  /** Put faults next to their fields; `only` leaves the other fields as they are. */
  function showFaults(fields, only = null) {
    for (const place of form.querySelectorAll("[data-fault-of]")) {
      const name = place.dataset.faultOf;
      if (only && !only.includes(name)) continue;
      const text = fields[name] ?? "";
      setText(place, text);
      place.classList.toggle("d-block", Boolean(text));
      const control = byId(place.id.replace(/-fault$/, ""));
      control?.classList.toggle("is-invalid", Boolean(text));
      if (text) control?.closest("details")?.setAttribute("open", "");
      if (text) control?.setAttribute("aria-invalid", "true");
      else control?.removeAttribute("aria-invalid");
    }
  }

  function showProblem(message, fields) {
    const placed = new Set([...form.querySelectorAll("[data-fault-of]")].map((place) => place.dataset.faultOf));
    const isBesideFields = Object.keys(fields).length > 0 && Object.keys(fields).every((name) => placed.has(name));
    const box = byId("form-problem");
    setText(box, isBesideFields ? "" : message);
    box.classList.toggle("d-none", isBesideFields || !message);
    showFaults(fields);
    form.querySelector(".is-invalid:not(:disabled)")?.focus();
  }

  async function submit(event) {
    event.preventDefault();
    const button = byId("start-stream");
    const words = button.textContent;
    button.disabled = true;
    setText(button, STARTING);
    showProblem("", {});
    try {
      const view = await ask("POST", form.getAttribute("action") ?? location.pathname, {
        data: new URLSearchParams(new FormData(form)).toString(),
      });
      started(view);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      showProblem(error.message, error.fields);
      // The server looks into the file only when all else is right: what is known of it stays next to its field.
      if (form.elements.source_kind.value === "file" && !error.fields["source.path"]) checkFile();
    } finally {
      setText(button, words);
      button.disabled = false;
    }
  }

  const browser = bindMediaBrowser((path) => {
    form.elements.path.value = path;
    checkFile();
    form.elements.path.focus();
  });

  bindPresets(form, showProblem);
  form.addEventListener("submit", submit);
  form.addEventListener("input", showBudget);
  for (const radio of form.elements.mode) radio.addEventListener("change", showMode);
  for (const radio of form.elements.source_kind) radio.addEventListener("change", showSource);
  form.elements.path.addEventListener("change", checkFile);
  byId("browse-media").addEventListener("click", () => browser.open(form.elements.path.value));
  showSource();
  showMode();
  showOrigin(form);
  if (form.elements.path.value) checkFile();
  form.dataset.ready = "";

  return {
    focus: () => form.elements.name.focus(),

    /** Offer the ports that are free now, keeping the choice while it is among them. */
    showFreePorts(ports) {
      const select = byId("port");
      const shown = ports.join();
      if (select.dataset.shown === shown) return;
      select.dataset.shown = shown;
      const chosen = select.value;
      const isFaulty = select.classList.contains("is-invalid");
      const offered = isFaulty && chosen && !ports.includes(Number(chosen)) ? [Number(chosen), ...ports] : ports;
      select.replaceChildren(...offered.map((port) => make("option", { value: port }, String(port))));
      if (offered.map(String).includes(chosen)) select.value = chosen;
      if (form.elements.mode.value === "listener") byId("start-stream").disabled = ports.length === 0;
    },
  };
}

const BUDGET_PAUSE_MS = 150;

/** Show the answer's text to the latest question only; what cannot be answered yet shows nothing. */
function askLatest(node, question) {
  let latest = null;
  let timer = null;
  return {
    show(query) {
      if (query === latest) return;
      latest = query;
      clearTimeout(timer);
      timer = setTimeout(async () => {
        let text = "";
        try {
          ({ text } = await question(query));
        } catch (error) {
          if (!(error instanceof ApiError)) throw error;
        }
        if (query === latest) setText(node, text);
      }, BUDGET_PAUSE_MS);
    },
  };
}

let channelsAsked = false;

/** Fill the channel list once; without one the fields below do. */
async function loadChannels() {
  if (channelsAsked) return;
  channelsAsked = true;
  let channels;
  try {
    ({ channels } = await ask("GET", "/api/channels"));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return;
  }
  if (!channels?.length) return;
  const form = byId("stream-form");
  const select = byId("channel");
  select.append(
    ...channels.map((channel, index) =>
      make("option", { value: index }, `${channel.name} · ${channel.address}:${channel.port}`),
    ),
  );
  byId("channels-box").classList.remove("d-none");
  select.addEventListener("change", () => {
    const channel = channels[select.value];
    if (!channel) return;
    form.elements.address.value = channel.address;
    form.elements.group_port.value = channel.port;
    form.elements.protocol.value = channel.protocol ?? "udp";
    form.elements.source_ip.value = channel.source_ip ?? "";
    if (!form.elements.name.value) form.elements.name.value = channel.name;
  });
}
