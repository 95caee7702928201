// All hosts: a card per host, which also filters by that host, and the table of all streams.
import { onKey, poll } from "./app.js";
import { byId, icon, make, setText } from "./dom.js";
import { IDLE_ICONS, modeMark } from "./lamps.js";
import { count, duration, mbps, ms, withUnit } from "./format.js";

const ORDER = { fault: 0, attention: 1, unknown: 2, good: 3, idle: 4 };
const LOOKS = {
  fault: ["fa-solid fa-circle-xmark", "bad"],
  attention: ["fa-solid fa-circle-exclamation", "warn"],
  good: ["fa-solid fa-circle-play", "good"],
  idle: ["fa-regular fa-circle", "idle"],
  unknown: ["fa-solid fa-circle-question", "idle"],
};
const filter = byId("filter");
let shown = { hosts: [], streams: [] };
let chosenHost = "";

setText(byId("fleet-empty"), "Loading streams …");
byId("fleet-empty").hidden = false;

poll("/api/fleet", 2000, (fleet) => {
  shown = fleet;
  draw();
});

function draw() {
  byId("hosts").replaceChildren(...shown.hosts.map(card));
  const words = filter.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const fitting = shown.streams
    .filter((stream) => !chosenHost || stream.host === chosenHost)
    .filter((stream) =>
      words.every((word) =>
        [stream.label, stream.host, stream.target, stream.phase_text, stream.direction]
          .join(" ")
          .toLowerCase()
          .includes(word),
      ),
    )
    .sort((one, other) => ORDER[one.severity] - ORDER[other.severity]);
  byId("fleet").replaceChildren(...fitting.map(row));
  setText(byId("fleet-count"), `${count(fitting.length)} of ${count(shown.streams.length)}`);
  byId("fleet-empty").hidden = fitting.length > 0;
  setText(byId("fleet-empty"), shown.streams.length ? "No stream fits the filter." : "No streams on any host.");
}

function card(host) {
  const node = make(
    "button",
    { type: "button", class: `host-card is-${host.severity}`, "aria-pressed": String(chosenHost === host.name) },
    make("span", { class: "name" }, host.name),
    make("span", { class: "dim" }, stateText(host)),
    make("span", { class: "num" }, figures(host)),
  );
  node.addEventListener("click", () => {
    chosenHost = chosenHost === host.name ? "" : host.name;
    draw();
  });
  return node;
}

function stateText(host) {
  if (host.state === "answers") return host.version ? `${host.state_text} · ${host.version}` : host.state_text;
  return host.age_s === null ? host.state_text : `${host.state_text} · last answer ${duration(host.age_s)} ago`;
}

function figures(host) {
  if (host.streams === null) return "–";
  const parts = [`${count(host.streams)} ${host.streams === 1 ? "stream" : "streams"}`];
  if (host.fault) parts.push(`${count(host.fault)} ${host.fault === 1 ? "fault" : "faults"}`);
  if (host.attention) parts.push(`${count(host.attention)} ${host.attention === 1 ? "warning" : "warnings"}`);
  return parts.join(" · ");
}

function row(stream) {
  const [look, colour] = LOOKS[stream.severity] ?? LOOKS.unknown;
  const mark = stream.severity === "idle" ? (IDLE_ICONS[stream.phase_text.toLowerCase()] ?? look) : look;
  const isOld = stream.severity === "unknown";
  const figure = (label, text) => make("td", { role: "cell", class: "r num", "data-label": label }, text);
  const state = make(
    "span",
    { class: `state ${colour}` },
    icon(mark),
    make("span", {}, isOld ? `Unknown; was ${stream.phase_text}` : stream.phase_text),
  );
  return make(
    "tr",
    { role: "row", class: isOld ? "is-old" : "" },
    make("td", { role: "cell" }, state, make("span", { class: "sub" }, stream.remark ?? "")),
    make("td", { role: "cell", class: "text-break" }, make("a", { class: "name", href: stream.url }, stream.label)),
    make("td", { role: "cell", class: "text-break" }, stream.host),
    make(
      "td",
      { role: "cell" },
      ...modeMark(stream.direction, stream.mode),
      make("span", { class: "sub num" }, stream.target),
    ),
    figure("Peers", count(stream.peers)),
    figure("Payload", withUnit(mbps(stream.payload_mbps), "Mb/s")),
    figure("RTT", withUnit(ms(stream.rtt_ms), "ms")),
  );
}

filter.addEventListener("input", draw);
onKey("/", "filter the streams", () => filter.focus());
