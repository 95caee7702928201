// The charts of a stream's page. A gap in the history is a gap in the line.
import { pictureOf } from "./chart_picture.js";
import { colour, paintFrame } from "./chart_theme.js";
import { stepFor, tickText, wholeSteps, withGaps } from "./chart_time.js";
import { eventMarks, textsNear } from "./event_marks.js";
import { dateAndTime } from "./format.js";

const Chart = window.Chart;
const GAP_S = 5;

/** A text for an empty chart, because an empty grid looks like a fault of the page. */
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
      data: { datasets: datasetsFor(lines) },
      options: {
        animation: false,
        parsing: false,
        normalized: true,
        responsive: true,
        maintainAspectRatio: false,
        interaction: { mode: "index", intersect: false },
        plugins: { legend: { display: false }, decimation: { enabled: false }, tooltip: tooltipFor(lines) },
        scales: { x: this.timeAxis(), y: axis(unit, { grace: "10%" }), ...(second ? { y2: secondAxis(second) } : {}) },
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
    paintFrame(this.chart);
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

  timeAxis() {
    return {
      type: "linear",
      grid: { display: false },
      title: { display: true, text: "UTC", align: "end", padding: 0 },
      ticks: {
        maxRotation: 0,
        autoSkipPadding: 24,
        callback: (value) => tickText(value, this.range.to - this.range.from),
      },
      afterBuildTicks: (scale) => Object.assign(scale, { ticks: wholeSteps(scale, stepFor(scale.max - scale.min)) }),
    };
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

  /** The chart as a PNG with its title and legend. Returns a promise of a Blob. */
  toPng(title) {
    return pictureOf(this.canvas, title, this.lines);
  }
}

/** The datasets of a chart: a line each, then the two edges of each line's band from minimum to maximum. */
function datasetsFor(lines) {
  return [
    ...lines.map(({ label, axis: id }) => ({ ...lineOf(label, id), borderWidth: 1.5, pointHitRadius: 6 })),
    ...lines.flatMap(({ axis: id }) => [lineOf("", id), { ...lineOf("", id), fill: "-1" }]),
  ];
}

/** The bands stay out of the tooltip; the events next to the pointer come last in it. */
function tooltipFor(lines) {
  return {
    filter: ({ datasetIndex }) => datasetIndex < lines.length,
    callbacks: {
      title: (items) => (items.length ? `${dateAndTime(items[0].parsed.x)} UTC` : ""),
      footer: ([item]) => (item ? textsNear(item.chart, item.element.x) : []),
    },
  };
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

const secondAxis = (unit) => axis(unit, { position: "right", precision: 0, suggestedMax: 5, grid: { display: false } });
