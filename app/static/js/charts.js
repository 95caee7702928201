// The charts of a stream's page. A gap in the past is a gap in the line, never a bridge over it.
import { eventMarks, textsNear } from "./event_marks.js";
import { dateAndTime, timeOfDay } from "./format.js";

const Chart = window.Chart;
const GAP_S = 5;
const TICKS_S = [5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 43_200, 86_400];
const TICKS_MAX = 6;

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Says so where there is nothing to draw: an empty grid looks like a fault of the page. */
const emptyWords = {
  id: "emptyWords",
  afterDraw({ ctx: pen, chartArea, data }) {
    if (data.datasets.some((line) => line.data.some((point) => point.y !== null))) return;
    pen.save();
    pen.fillStyle = colour("--dim");
    pen.font = `13px ${getComputedStyle(document.body).fontFamily}`;
    pen.textAlign = "center";
    pen.fillText(
      "No figures in this time",
      (chartArea.left + chartArea.right) / 2,
      (chartArea.top + chartArea.bottom) / 2,
    );
    pen.restore();
  },
};

/**
 * A chart over time; `lines` are {label, colour: CSS variable, read: sample => value, axis}, `units` those of its axes.
 */
export class TimeChart {
  constructor(canvas, lines, [unit, second = null]) {
    this.canvas = canvas;
    this.lines = lines;
    this.samples = [];
    this.range = { from: 0, to: 300 };
    Chart.defaults.font.family = getComputedStyle(document.body).getPropertyValue("--bs-font-monospace");
    Chart.defaults.font.size = 10.5;
    this.chart = new Chart(canvas, {
      type: "line",
      plugins: [emptyWords, eventMarks],
      data: {
        datasets: [
          ...lines.map(({ label, axis }) => ({ ...lineOf(label, axis), borderWidth: 1.5, pointHitRadius: 6 })),
          // Between the least and the greatest value of each interval, where there are such.
          ...lines.flatMap(({ axis }) => [lineOf("", axis), { ...lineOf("", axis), fill: "-1" }]),
        ],
      },
      options: {
        animation: false,
        parsing: false,
        normalized: true,
        responsive: true,
        maintainAspectRatio: false,
        interaction: { mode: "index", intersect: false },
        plugins: {
          legend: { display: false },
          decimation: { enabled: false },
          tooltip: {
            filter: ({ datasetIndex }) => datasetIndex < lines.length,
            callbacks: {
              title: (items) => (items.length ? `${dateAndTime(items[0].parsed.x)} UTC` : ""),
              footer: ([item]) => (item ? textsNear(item.chart, item.element.x) : []),
            },
          },
        },
        scales: {
          x: {
            type: "linear",
            grid: { display: false },
            title: { display: true, text: "UTC", align: "end", padding: 0 },
            ticks: { maxRotation: 0, autoSkipPadding: 24, callback: (value) => this.tickText(value) },
            afterBuildTicks: (scale) => Object.assign(scale, { ticks: this.wholeSteps(scale) }),
          },
          y: axis(unit, { grace: "10%" }),
          ...(second
            ? { y2: axis(second, { position: "right", precision: 0, suggestedMax: 5, grid: { display: false } }) }
            : {}),
        },
      },
    });
    this.paint();
    document.addEventListener("themechange", () => {
      this.paint();
      this.chart.update("none");
    });
  }

  /** Take the theme's colours. */
  paint() {
    this.lines.forEach(({ colour: name }, index) => {
      const [line, low, high] = this.datasetsOf(index);
      Object.assign(line, { borderColor: colour(name), backgroundColor: colour(name) });
      for (const edge of [low, high])
        Object.assign(edge, { borderColor: "transparent", backgroundColor: `${colour(name)}33` });
    });
    for (const [name, scale] of Object.entries(this.chart.options.scales)) {
      scale.ticks.color = colour("--dim");
      scale.title.color = colour("--dim");
      if (name === "y") scale.grid = { color: colour("--grid") };
    }
    const { tooltip } = this.chart.options.plugins;
    Object.assign(tooltip, {
      backgroundColor: colour("--panel-3"),
      titleColor: colour("--bs-body-color"),
      bodyColor: colour("--bs-body-color"),
      borderColor: colour("--edge"),
      borderWidth: 1,
    });
  }

  /** The line at `index` and the edges of its band. */
  datasetsOf(index) {
    const { datasets } = this.chart.data;
    const low = this.lines.length + 2 * index;
    return [datasets[index], datasets[low], datasets[low + 1]];
  }

  /** Draw the samples (oldest first) of a range with its events; `stepS` is the time from sample to sample. */
  show(samples, range, { stepS = 1, marks = [] } = {}) {
    this.range = range;
    this.chart.marks = marks;
    const shown = withGaps(
      samples.filter((sample) => sample.at > range.from && sample.at <= range.to + stepS),
      Math.max(GAP_S, 2.5 * stepS),
    );
    const points = (readOf) =>
      shown.map((sample) => ({ x: sample.at, y: sample.isGap ? null : (readOf(sample) ?? null) }));
    const isSummary = shown.some((sample) => sample.low);
    this.lines.forEach(({ read }, index) => {
      const [line, low, high] = this.datasetsOf(index);
      line.data = points(read);
      low.data = isSummary ? points((sample) => read(sample.low)) : [];
      high.data = isSummary ? points((sample) => read(sample.high)) : [];
    });
    Object.assign(this.chart.options.scales.x, { min: range.from, max: range.to });
    this.chart.update("none");
    this.describe(shown);
  }

  /** Ticks at whole minutes or days: a label that is cut to the minute must stand at that minute. */
  wholeSteps({ min, max }) {
    const every = TICKS_S.find((step) => (max - min) / step <= TICKS_MAX) ?? TICKS_S.at(-1);
    const ticks = [];
    for (let value = Math.ceil(min / every) * every; value <= max; value += every) ticks.push({ value });
    return ticks;
  }

  tickText(value) {
    const spanS = this.range.to - this.range.from;
    if (spanS > 86_400) return dateAndTime(value).slice(5, 16);
    return timeOfDay(value).slice(0, spanS > 360 || spanS === 300 ? 5 : 8);
  }

  describe(samples) {
    const last = samples.at(-1);
    const words = this.lines.map(
      ({ label, read }) => `${label} ${last && !last.isGap ? (read(last) ?? "unknown") : "unknown"}`,
    );
    this.canvas.setAttribute(
      "aria-label",
      `Chart from ${dateAndTime(this.range.from)} to ${dateAndTime(this.range.to)} UTC. ` +
        `At its end: ${words.join(", ")}`,
    );
  }

  /** The chart as a PNG with its title and legend over it. Gives a promise of a Blob. */
  toPng(title) {
    return pictureOf(this.canvas, title, this.lines);
  }
}

/** A chart's canvas with a title and a legend ({label, colour}) over it, on the page's ground; promises a Blob. */
export function pictureOf(canvas, title, legend) {
  const line = 24 * (window.devicePixelRatio || 1);
  const picture = document.createElement("canvas");
  picture.width = canvas.width;
  picture.height = canvas.height + 2.25 * line;
  const pen = picture.getContext("2d");
  const { fontFamily } = getComputedStyle(document.body);
  pen.fillStyle = colour("--panel");
  pen.fillRect(0, 0, picture.width, picture.height);
  pen.fillStyle = colour("--bs-body-color");
  pen.font = `600 ${line * 0.62}px ${fontFamily}`;
  pen.fillText(title, line * 0.6, line, picture.width - line);
  pen.font = `${line * 0.54}px ${fontFamily}`;
  let x = line * 0.6;
  for (const { label, colour: name } of legend) {
    pen.fillStyle = colour(name);
    pen.fillRect(x, line * 1.6, line * 0.6, line * 0.1);
    pen.fillStyle = colour("--dim");
    pen.fillText(label, x + line * 0.8, line * 1.8);
    x += pen.measureText(label).width + line * 1.8;
  }
  pen.drawImage(canvas, 0, 2.25 * line);
  return new Promise((resolve) => {
    picture.toBlob(resolve, "image/png");
  });
}

function lineOf(label, axisId) {
  return {
    label,
    data: [],
    yAxisID: axisId ?? "y",
    borderWidth: 0,
    pointRadius: 0,
    pointHitRadius: 0,
    spanGaps: false,
  };
}

function axis(unit, { precision, ...more }) {
  return {
    beginAtZero: true,
    title: { display: true, text: unit, padding: 0 },
    ticks: { maxTicksLimit: 5, precision, padding: 6 },
    border: { display: false },
    ...more,
  };
}

function withGaps(samples, gapS) {
  const shown = [];
  for (const sample of samples) {
    const last = shown.at(-1);
    if (last && sample.at - last.at > gapS) shown.push({ at: last.at + 0.5, isGap: true });
    shown.push(sample);
  }
  return shown;
}

/** Hand a blob to the browser as a file. */
export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
