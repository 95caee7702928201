// One stream as a row of the dashboard. The nodes are made once and only their texts change.
import { dismissStream, isOrdered, restartStream, stopStream } from "./actions.js";
import { icon, make, setClass, setFigure, setText, spoken } from "./dom.js";
import { count, mbps, ms, percent, times, UNKNOWN, withUnit } from "./format.js";
import { colourOf, makeLamp, modeMark, setLamp } from "./lamps.js";
import { Spark } from "./sparkline.js";
import { inputErrorWords, reasonWords, sourceWords } from "./stream_words.js";
import { offerUndo } from "./undo.js";

const SOURCE_ICONS = {
  file: "fa-regular fa-file-video",
  multicast: "fa-solid fa-network-wired",
  bars: "fa-solid fa-barcode",
  srt: "fa-solid fa-download",
};

const cell = (name, ...children) => make("td", { role: "cell", class: name }, ...children);
const figureCell = (name, label) =>
  make("td", { role: "cell", class: `r num ${name}`, "data-label": label, "data-live": "" });

/** A figure in a column with the name of another figure: it shows its own name. */
function setCounted(node, text, unit, name) {
  const shown = text === UNKNOWN ? "" : unit;
  if (node.dataset.shown === `${text}|${shown}`) return;
  node.dataset.shown = `${text}|${shown}`;
  node.dataset.label = name;
  const units = shown ? [make("span", { class: "unit" }, shown)] : [];
  node.replaceChildren(text, ...units, make("span", { class: "sub" }, name.toLowerCase()));
}

/** A row; `changed` is called after something was done to the stream. */
export class StreamRow {
  constructor(key, changed) {
    this.key = key;
    this.changed = changed;
    this.stream = null;
    this.spark = new Spark();
    this.makeWords(key);
    this.makeFigures();
    this.makeButtons(changed);
    this.node = this.makeNode();
  }

  makeWords(key) {
    this.lamp = makeLamp();
    this.why = make("span", { class: "sub" });
    this.name = make("a", { class: "name", href: `/stream/${encodeURIComponent(key)}` });
    this.sourceIcon = icon("");
    this.sourceText = make("span");
    this.mode = make("span");
    this.target = make("span", { class: "sub num" });
  }

  makeFigures() {
    this.input = make("span", { "data-live": "" });
    this.inputErrors = make("span", { class: "sub warn" });
    this.peers = figureCell("col-peers", "Peers");
    this.payload = figureCell("col-payload", "Payload");
    this.rtt = make("span");
    this.pill = make("span", { class: "pill" });
    this.resent = figureCell("col-resent", "Resent");
    this.lost = figureCell("col-lost", "Lost (est.)");
    this.drops = figureCell("col-drops", "Sender drops");
  }

  makeButtons(changed) {
    this.details = make(
      "a",
      { class: "btn btn-q btn-icon", href: this.name.href, title: "Details (Enter)" },
      icon("fa-solid fa-chart-line"),
      spoken("Details"),
    );
    this.restart = this.button("fa-solid fa-rotate-right", () => restartStream(this.stream), changed);
    this.end = this.button("fa-solid fa-stop", () => this.endIt(), changed);
  }

  makeNode() {
    const rtt = figureCell("col-rtt", "RTT · ratio");
    rtt.append(make("span", { class: "rtt" }, this.rtt, this.pill));
    return make(
      "tr",
      { role: "row", "data-key": this.key },
      cell("col-state", this.lamp, this.why),
      cell("stream", this.name, make("span", { class: "sub" }, this.sourceIcon, "\u00a0", this.sourceText)),
      make("td", { role: "cell", class: "r num col-input", "data-label": "Input" }, this.input, this.inputErrors),
      cell("col-srt", this.mode, this.target),
      this.peers,
      this.payload,
      make("td", { role: "cell", class: "col-spark" }, this.spark.svg),
      rtt,
      this.resent,
      this.lost,
      this.drops,
      cell("col-actions", this.details, this.restart, this.end),
    );
  }

  button(name, act, changed) {
    const node = make("button", { type: "button", class: "btn btn-q btn-icon" }, icon(name), spoken(""));
    node.addEventListener("click", async () => {
      if (await act()) changed();
    });
    return node;
  }

  /** Stop the stream, or dismiss it if it is off air. */
  endIt() {
    return isOrdered(this.stream) ? stopStream(this.stream) : this.dismissIt();
  }

  async dismissIt() {
    const { key, label } = this.stream;
    const isGone = await dismissStream({ key });
    if (isGone) offerUndo({ key, label }, this.changed);
    return isGone;
  }

  /** The action of a key: it stops only a stream that is on air, and dismisses only one that is off air. */
  stopByKey() {
    if (isOrdered(this.stream)) this.end.click();
  }

  dismissByKey() {
    if (!isOrdered(this.stream)) this.end.click();
  }

  /** Show the server's latest data. */
  show(stream, now) {
    this.stream = stream;
    const isSelected = this.node.classList.contains("is-selected");
    const states = [`is-${stream.severity}`, stream.is_stale && "is-old", isSelected && "is-selected"];
    setClass(this.node, states.filter(Boolean).join(" "));
    setLamp(this.lamp, stream);
    setText(this.why, reasonWords(stream, now));
    setText(this.name, stream.label);
    this.name.title = stream.label;
    setClass(this.sourceIcon, SOURCE_ICONS[stream.source_kind] ?? "");
    setText(this.sourceText, sourceWords(stream));
    this.sourceText.title = this.sourceText.textContent;
    this.showTarget(stream);
    this.showFigures(stream);
    if (stream.spark) this.spark.load(stream.spark);
    this.spark.add(Date.parse(now) / 1000, stream.payload_mbps);
    this.nameButtons(stream);
  }

  showTarget({ mode, direction, target, key_bits: bits }) {
    setText(this.target, target);
    const shown = `${mode}|${bits}`;
    if (this.mode.dataset.shown === shown) return;
    this.mode.dataset.shown = shown;
    const lock = bits
      ? [
          " ",
          make(
            "span",
            { class: "dim", title: `AES-${bits}` },
            icon("fa-solid fa-lock"),
            spoken(`encrypted, AES-${bits}`),
          ),
        ]
      : [];
    this.mode.replaceChildren(...modeMark(direction, mode), ...lock);
  }

  showFigures(stream) {
    setFigure(this.input, mbps(stream.input_mbps), "Mb/s");
    setText(this.inputErrors, inputErrorWords(stream));
    setText(this.peers, count(stream.peers));
    setFigure(this.payload, mbps(stream.payload_mbps), "Mb/s");
    setFigure(this.rtt, ms(stream.rtt_ms), "ms");
    this.pill.hidden = stream.latency_rtt_ratio === null;
    setText(this.pill, withUnit(times(stream.latency_rtt_ratio), "×"));
    setClass(this.pill, `pill ${colourOf(stream.ratio_severity)}`);
    if (stream.direction === "receive") this.showReceived(stream);
    else this.showSent(stream);
  }

  showSent(stream) {
    setFigure(this.resent, percent(stream.retransmitted_percent), "%");
    setText(this.lost, stream.lost_text);
    setClass(this.lost, `r num col-lost ${stream.loss_severity === "idle" ? "" : colourOf(stream.loss_severity)}`);
    setText(this.drops, count(stream.packets_dropped));
    this.drops.classList.toggle("warn", stream.packets_dropped > 0);
  }

  /** A receiver counts what was recovered and lost; it resends and drops nothing. */
  showReceived(stream) {
    setCounted(this.resent, percent(stream.recovered_percent), "%", "Recovered");
    setCounted(this.lost, count(stream.packets_lost), "", "Lost for good");
    setClass(this.lost, `r num col-lost ${stream.packets_lost ? "bad" : ""}`);
    setText(this.drops, UNKNOWN);
    this.drops.title = "A receive stream sends nothing";
  }

  nameButtons(stream) {
    const ordered = isOrdered(stream);
    const endWord = ordered ? "Stop" : "Dismiss";
    setClass(this.end.firstChild, ordered ? "fa-solid fa-stop" : "fa-solid fa-xmark");
    setText(this.end.lastChild, `${endWord} ${stream.label}`);
    setText(this.restart.lastChild, `Restart ${stream.label}`);
    setText(this.details.lastChild, `Details of ${stream.label}`);
    this.end.title = ordered ? "Stop (s)" : "Dismiss (Shift X)";
    this.restart.title = ordered ? "Restart" : "Start again";
    this.end.disabled = stream.phase === "stopping";
  }
}
