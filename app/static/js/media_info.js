// A media file's page: polls until the analysis is complete, then shows the contents of the file.
import { ApiError, ask, pollOverview } from "./app.js";
import { byId, icon, make, setFigure, setText } from "./dom.js";
import { bytes, count, mbps, percent, playingTime, UNKNOWN, withUnit } from "./format.js";

const ASK_AGAIN_MS = 700;
const { path } = byId("media").dataset;
const LEVELS = {
  good: ["fa-solid fa-circle-check", "good", "Pass"],
  attention: ["fa-solid fa-circle-exclamation", "warn", "Warning"],
  fault: ["fa-solid fa-circle-xmark", "bad", "Fail"],
};

pollOverview();
look();

async function look() {
  const overhead = Number(byId("overhead").value);
  const isNumber = Number.isInteger(overhead) && overhead >= 1 && overhead <= 99;
  byId("overhead").classList.toggle("is-invalid", !isNumber);
  const query = new URLSearchParams({ path, overhead_percent: isNumber ? overhead : 25 });
  try {
    const answer = await ask("GET", `/api/media/info?${query}`);
    show(answer);
    if (["waiting", "running"].includes(answer.state.phase)) setTimeout(look, ASK_AGAIN_MS);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    showProblem(error.fields["source.path"] ?? error.message);
  }
}

byId("overhead").addEventListener("change", look);

function showProblem(text) {
  setText(byId("problem"), text ?? "");
  byId("problem").hidden = !text;
  if (text) byId("progress-box").hidden = true;
}

function show({ state, needed_mbps: needed }) {
  const isUnderWay = ["waiting", "running"].includes(state.phase);
  const isUnfit = Boolean(state.problem) && !state.analysis;
  byId("parts").hidden = isUnfit;
  byId("uses").hidden = isUnfit;
  byId("not-read").hidden = !isUnderWay;
  for (const box of document.querySelectorAll("[data-read]")) box.hidden = !state.analysis?.pids.length;
  byId("progress-box").hidden = !isUnderWay;
  setText(
    byId("progress-words"),
    state.phase === "waiting" ? "Waiting until other files have been read" : "Reading the file to its end",
  );
  setText(byId("progress-percent"), `${Math.floor(state.progress * 100)} %`);
  byId("progress").value = state.progress;
  showProblem(state.problem);
  showDetails(state);
  if (state.analysis) showAnalysis(state.analysis, needed);
}

function showAnalysis(analysis, needed) {
  byId("figures").hidden = false;
  setFigure(byId("bitrate"), mbps(analysis.bitrate_bps / 1e6), "Mb/s");
  setFigure(
    byId("rate"),
    analysis.is_constant_bitrate ? "CBR" : "VBR",
    analysis.is_constant_bitrate ? "constant" : "variable",
  );
  setFigure(byId("duration"), ...playingTime(analysis.duration_s).split(" "));
  const intervals = analysis.programmes
    .map((programme) => programme.pcr.longest_ms)
    .filter((longest) => longest !== null);
  setFigure(byId("pcr"), intervals.length ? Math.max(...intervals).toFixed(0) : UNKNOWN, "ms");
  setFigure(byId("continuity"), count(analysis.continuity_errors), "");
  byId("continuity").classList.toggle("bad", analysis.continuity_errors > 0);
  setFigure(byId("null"), percent(analysis.null_percent), "%");
  setFigure(byId("needed"), mbps(needed), "Mb/s");
  byId("verdict").replaceChildren(level(analysis.verdict));
  byId("findings").replaceChildren(
    ...analysis.findings.map((finding) =>
      make(
        "tr",
        {},
        make("td", {}, level(finding.level)),
        make("th", { scope: "row" }, finding.subject),
        make("td", { class: "text-break" }, finding.text),
      ),
    ),
  );
  byId("pids").replaceChildren(...analysis.pids.map((pid) => pidRow(pid, analysis.packet_count)));
  byId("programmes").replaceChildren(...analysis.programmes.map(programmeBox));
}

function level(name) {
  const [picture, colour, words] = LEVELS[name];
  return make("span", { class: `state ${colour}` }, icon(picture), words);
}

const pidText = (pid) => `${pid} (0x${pid.toString(16).toUpperCase().padStart(4, "0")})`;

function pidRow(pid, packets) {
  const share = packets ? (100 * pid.packet_count) / packets : null;
  return make(
    "tr",
    {},
    make("td", { class: "num" }, pidText(pid.pid)),
    make("td", {}, pid.kind, pid.is_scrambled ? make("span", { class: "warn" }, " scrambled") : null),
    make("td", {}, pid.codec),
    make("td", {}, pid.language),
    make("td", { class: "r num" }, `${mbps(pid.bitrate_bps / 1e6)} Mb/s`),
    make("td", { class: "r num" }, withUnit(percent(share), "%")),
    make("td", { class: `r num ${pid.continuity_errors ? "bad" : ""}` }, count(pid.continuity_errors)),
  );
}

const interval = (repetition) =>
  repetition.longest_ms === null
    ? UNKNOWN
    : `${repetition.mean_ms.toFixed(0)} ms, longest ${repetition.longest_ms.toFixed(0)} ms`;

function programmeBox(programme) {
  const pairs = [
    ["PMT", pidText(programme.pmt_pid)],
    ["PMT every", interval(programme.pmt)],
    ["PCR", programme.pcr_pid === null ? UNKNOWN : pidText(programme.pcr_pid)],
    ["PCR every", interval(programme.pcr)],
    ["Clock jumps", count(programme.pcr_jumps)],
  ];
  return box([String(programme.number), programme.name || "no name", programme.provider], pairs);
}

function box([head, title, more], pairs) {
  return make(
    "div",
    { class: "peer" },
    make(
      "div",
      { class: "peer-head" },
      make("span", { class: "num" }, head),
      make("b", { class: "text-break" }, title),
      make("span", { class: "dim text-break" }, more),
    ),
    make(
      "dl",
      { class: "pairs wide" },
      ...pairs.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", { class: "num" }, value))),
    ),
  );
}

function showDetails({ details, details_problem: problem }) {
  setText(byId("details-tool"), details ? `as ${details.tool} sees them` : "");
  if (!details) {
    byId("details").replaceChildren(make("p", { class: "empty mb-0" }, problem ?? "Asking …"));
    return;
  }
  byId("details").replaceChildren(...details.streams.map(streamBox));
}

function pictureOf({ width, height, aspect }) {
  if (!width || !height) return UNKNOWN;
  return `${width} × ${height}${aspect ? `, ${aspect}` : ""}`;
}

const framesOf = ({ frame_rate: rate, scan }) => (rate ? `${Number(rate.toFixed(3))}/s ${scan}` : UNKNOWN);

function streamBox(stream) {
  const pairs = [];
  if (stream.kind === "video") pairs.push(["Picture", pictureOf(stream)], ["Frames", framesOf(stream)]);
  if (stream.pixel_format) pairs.push(["Pixels", stream.pixel_format]);
  if (stream.kind === "audio")
    pairs.push(["Sound", stream.sample_rate_hz ? `${stream.sample_rate_hz / 1000} kHz` : UNKNOWN]);
  if (stream.channels) pairs.push(["Channels", stream.channel_layout || String(stream.channels)]);
  if (stream.bitrate_bps) pairs.push(["Bitrate", `${bytes(stream.bitrate_bps).replace(/B$/, "b/s")}`]);
  if (stream.language) pairs.push(["Language", stream.language]);
  return box(
    [
      stream.pid === null ? "" : pidText(stream.pid),
      [stream.codec, stream.profile].filter(Boolean).join(" "),
      stream.kind,
    ],
    pairs,
  );
}
