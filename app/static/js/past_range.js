// The part of the history that a stream's charts show: a range in the page's address, or the present.
import { ApiError, ask, announce } from "./app.js";

const LEAST_S = 20;
const KEPT_S = 72 * 3600;
const HOUR_S = 3600;
const SETTLED_MS = 250;

/** `range` is null while the charts follow the present, else {from, to} in Unix seconds. */
export class PastRange {
  constructor(key, now, onChange) {
    Object.assign(this, { key, now, onChange, range: null, samples: [], events: [], stepS: 1, timer: 0 });
    const asked = new URLSearchParams(location.search);
    const [from, to] = ["from", "to"].map((name) => Number(asked.get(name)));
    if (from > 0 && to > from) this.range = { from, to };
  }

  /** Show a range; its figures arrive a moment later. */
  set(from, to) {
    const now = this.now();
    const spanS = Math.min(KEPT_S, Math.max(LEAST_S, to - from));
    const middle = (from + to) / 2;
    const end = Math.min(now, Math.max(middle + spanS / 2, now - KEPT_S + spanS));
    this.range = { from: Math.round(end - spanS), to: Math.round(end) };
    this.changed();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.load(), SETTLED_MS);
  }

  /** Follow the present again. */
  follow() {
    clearTimeout(this.timer);
    this.range = null;
    this.changed();
  }

  /** Show less (factor < 1) or more; the moment at `centre`, 0 to 1 from the left, keeps its place. */
  zoom(factor, shown, centre = 0.5) {
    const spanS = shown.to - shown.from;
    const at = shown.from + spanS * centre;
    const next = Math.min(KEPT_S, Math.max(LEAST_S, spanS * factor));
    this.set(at - next * centre, at + next * (1 - centre));
  }

  /** Move by a fraction of what is shown; negative is earlier. */
  pan(fraction, shown) {
    const by = (shown.to - shown.from) * fraction;
    this.set(shown.from + by, shown.to + by);
  }

  changed() {
    const query = this.range ? `?from=${this.range.from}&to=${this.range.to}` : location.pathname;
    history.replaceState(null, "", query);
    this.onChange();
  }

  /** Where the figures of the range are: seconds of the last hour, else summaries. */
  url(format = "") {
    const { from, to } = this.range;
    const step = from > this.now() - HOUR_S + LEAST_S ? "&step=1" : "";
    return `/api/streams/${encodeURIComponent(this.key)}/history?from=${from}&to=${to}${step}${format}`;
  }

  async load() {
    const wanted = this.range;
    if (!wanted) return;
    try {
      const events = `/api/events?limit=1000&key=${encodeURIComponent(this.key)}`;
      const [past, log] = await Promise.all([ask("GET", this.url()), ask("GET", events)]);
      if (this.range !== wanted) return;
      this.samples = past.samples ?? past.summaries.map(sampleOf);
      this.stepS = past.step_s ?? 1;
      this.events = log.events;
      this.onChange();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      announce(error.message);
    }
  }
}

/** A summary as a sample of its means, with the minimum and maximum next to them. */
function sampleOf({ at, figures }) {
  const part = (name) =>
    Object.fromEntries(Object.entries(figures).map(([key, spread]) => [key, spread?.[name] ?? null]));
  return { at, ...part("mean"), low: part("min"), high: part("max") };
}

/** Drag to pan, pinch or turn the wheel with Ctrl to zoom. `area` returns left edge and width of the plot in pixels. */
export function bindGestures(canvas, area, { zoom, pan }) {
  const pointers = new Map();
  const placeOf = (x) => {
    const { left, width } = area();
    return Math.min(1, Math.max(0, (x - canvas.getBoundingClientRect().left - left) / width));
  };
  canvas.addEventListener("pointerdown", (event) => {
    pointers.set(event.pointerId, event.clientX);
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!pointers.has(event.pointerId)) return;
    const before = pointers.get(event.pointerId);
    const moved = event.clientX - before;
    if (pointers.size === 1) {
      if (Math.abs(moved) < 3) return;
      pan(-moved / area().width);
    } else {
      const other = [...pointers].find(([id]) => id !== event.pointerId)[1];
      const [was, is] = [Math.abs(before - other), Math.abs(event.clientX - other)];
      if (was > 8 && is > 8) zoom(was / is, placeOf((event.clientX + other) / 2));
    }
    pointers.set(event.pointerId, event.clientX);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, (event) => pointers.delete(event.pointerId));
  }
  canvas.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      zoom(event.deltaY > 0 ? 1.25 : 0.8, placeOf(event.clientX));
    },
    { passive: false },
  );
}
