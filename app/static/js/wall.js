// The wall: one tile per stream, faults first.
import { onKey, poll } from "./app.js";
import { byId, make, setClass, setFigure, setText } from "./dom.js";
import { count, duration, mbps, percent, secondsBetween, times, timeOfDay } from "./format.js";
import { attempts, colourOf, makeLamp, setLamp } from "./lamps.js";

const ORDER = { fault: 0, attention: 1, good: 2, idle: 3 };
const TILE_SHAPE = 1.3;
const tiles = new Map();
const wall = byId("wall");

class Tile {
  constructor(key) {
    this.lamp = makeLamp();
    this.name = make("div", { class: "name" });
    this.why = make("div", { class: "why" });
    this.figures = ["Payload", "Latency / RTT", "Resent", "Lost (est.)"].map((label) => {
      const value = make("span", { class: "num", "data-live": "" });
      const name = make("small", {}, label);
      return { value, name, node: make("div", {}, name, value) };
    });
    this.node = make(
      "a",
      { href: `/stream/${encodeURIComponent(key)}` },
      this.name,
      make("div", {}, this.lamp, this.why),
      make("div", { class: "tile-figures" }, ...this.figures.map(({ node }) => node)),
    );
  }

  show(stream, now) {
    setClass(this.node, `tile ${stream.severity}`);
    setLamp(this.lamp, stream);
    setText(this.name, stream.label);
    const attempt = stream.retry_in_s === null ? null : attempts(stream);
    const words = [stream.reason_text, attempt, stream.remark].filter(Boolean);
    setText(this.why, (words.length ? words : [duration(secondsBetween(stream.since, now))]).join(" · "));
    const [payload, ratio] = this.figures.map(({ value }) => value);
    setFigure(payload, mbps(stream.payload_mbps), "Mb/s");
    setFigure(ratio, times(stream.latency_rtt_ratio), "×");
    setClass(ratio, `num ${colourOf(stream.ratio_severity)}`);
    this.showLoss(stream);
  }

  /** A sender estimates what its receiver misses; a receive stream counts it. */
  showLoss(stream) {
    const [, , resent, lost] = this.figures;
    const isReceived = stream.direction === "receive";
    setText(resent.name, isReceived ? "Recovered" : "Resent");
    setText(lost.name, isReceived ? "Lost for good" : "Lost (est.)");
    setFigure(resent.value, percent(isReceived ? stream.recovered_percent : stream.retransmitted_percent), "%");
    if (isReceived) {
      setText(lost.value, count(stream.packets_lost));
      setClass(lost.value, `num ${stream.packets_lost ? "bad" : ""}`);
    } else {
      setText(lost.value, stream.lost_text);
      setClass(lost.value, `num ${colourOf(stream.loss_severity)}`);
    }
  }
}

function show({ overview, streams, system }) {
  const present = new Set(streams.map((stream) => stream.key));
  for (const [key, tile] of tiles) {
    if (present.has(key)) continue;
    tile.node.remove();
    tiles.delete(key);
  }
  const ordered = streams
    .map((stream, index) => [ORDER[stream.severity] * 1000 + index, stream])
    .sort(([one], [other]) => one - other);
  // The first child is the note for an empty wall.
  ordered.forEach(([, stream], position) => {
    const index = position + 1;
    if (!tiles.has(stream.key)) tiles.set(stream.key, new Tile(stream.key));
    const tile = tiles.get(stream.key);
    tile.show(stream, overview.now);
    if (wall.children[index] !== tile.node) wall.insertBefore(tile.node, wall.children[index] ?? null);
  });
  arrange();
  byId("wall-empty").hidden = streams.length > 0;
  showTotals(overview, system);
}

function showTotals(overview, system) {
  setText(byId("wall-on-air"), String(system.streams_on_air));
  setText(byId("wall-faults"), String(overview.fault));
  setClass(byId("wall-faults-box"), overview.fault ? "bad" : "");
  setFigure(byId("wall-sending"), mbps(system.sending_mbps), "Mb/s");
  setFigure(byId("wall-clock"), timeOfDay(overview.now), "UTC");
}

function arrange() {
  wall.style.setProperty("--columns", columnsFor(tiles.size, wall.clientWidth / wall.clientHeight));
}

/** The number of columns with which the text of `number` tiles becomes largest on a wall of this shape. */
function columnsFor(number, shape) {
  let best = { columns: 1, size: 0 };
  for (let columns = 1; columns <= number; columns += 1) {
    const rows = Math.ceil(number / columns);
    // A tile is filled best when it is 1.3 times as wide as high: see the font sizes in wall.css.
    const size = Math.min(shape / columns / TILE_SHAPE, 1 / rows);
    if (size > best.size) best = { columns, size };
  }
  return best.columns;
}

poll("/api/dashboard", 1000, show);
window.addEventListener("resize", arrange);
const leave = () => location.assign("/");
onKey("Escape", "back to the dashboard", leave);
onKey("w", "back to the dashboard", leave);
