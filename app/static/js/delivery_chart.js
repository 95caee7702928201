// The main graph of a receive stream: lateness above the line, lost packets below it, coloured by the second's state.
import { pictureOf } from "./chart_picture.js";
import { colour, paintFrame } from "./chart_theme.js";
import { wholeSteps } from "./chart_time.js";
import { timeOfDay } from "./format.js";

const Chart = window.Chart;
const COLOURS = { good: "--chart-1", attention: "--chart-2", fault: "--chart-4" };
const LEAST_MS = 20;
const LEAST_PACKETS = 5;
const TICKS_EVERY_S = { 300: 60, 3600: 600, 86400: 14400 };

/** Samples are those of the API: a second each, or a minute each for a day. */
export class DeliveryChart {
  constructor(canvas) {
    this.canvas = canvas;
    this.spanS = 300;
    this.samples = [];
    Chart.defaults.font.family = getComputedStyle(document.body).getPropertyValue("--bs-font-monospace");
    Chart.defaults.font.size = 10.5;
    this.chart = new Chart(canvas, {
      type: "bar",
      data: { datasets: [bars("lateness, ms", "y"), bars("lost, packets", "y2")] },
      options: {
        animation: false,
        parsing: false,
        responsive: true,
        maintainAspectRatio: false,
        interaction: { mode: "x", intersect: false },
        plugins: {
          legend: { display: false },
          tooltip: {
            callbacks: {
              title: (items) => (items.length ? `${timeOfDay(items[0].parsed.x)} UTC` : ""),
              label: ({ dataset, parsed }) => `${dataset.label}: ${Math.abs(parsed.y)}`,
            },
          },
        },
        scales: {
          x: this.timeAxis(),
          y: half("ms late", (value) => value >= 0),
          y2: { ...half("lost", (value) => value <= 0), position: "right", grid: { display: false } },
        },
      },
    });
    paintFrame(this.chart);
    this.show([], Date.now() / 1000, this.spanS);
    document.addEventListener("themechange", () => {
      paintFrame(this.chart);
      this.draw();
    });
  }

  timeAxis() {
    return {
      type: "linear",
      offset: false,
      grid: { display: false, offset: false },
      title: { display: true, text: "UTC", align: "end", padding: 0 },
      ticks: { maxRotation: 0, autoSkipPadding: 24, callback: (value) => timeOfDay(value).slice(0, 5) },
      afterBuildTicks: (scale) => Object.assign(scale, { ticks: wholeSteps(scale, TICKS_EVERY_S[this.spanS]) }),
    };
  }

  /** Show samples (oldest first) of the last `spanS` seconds before `now`. */
  show(samples, now, spanS) {
    Object.assign(this, { samples: samples.filter((sample) => sample.at > now - spanS), now, spanS });
    this.draw();
  }

  draw() {
    const [late, lost] = this.chart.data.datasets;
    late.data = this.samples.map((sample) => ({ x: sample.at, y: sample.lateness_ms }));
    lost.data = this.samples.map((sample) => ({ x: sample.at, y: -sample.packets_dropped }));
    late.backgroundColor = this.samples.map((sample) => colour(COLOURS[sample.severity]));
    lost.backgroundColor = colour("--chart-4");
    late.barThickness = lost.barThickness = this.barWidth();
    const highest = Math.max(LEAST_MS, ...this.samples.map((sample) => sample.lateness_ms ?? 0)) * 1.1;
    const most = Math.max(LEAST_PACKETS, ...this.samples.map((sample) => sample.packets_dropped)) * 1.1;
    const { scales } = this.chart.options;
    Object.assign(scales.y, { min: -highest, max: highest });
    Object.assign(scales.y2, { min: -most, max: most });
    Object.assign(scales.x, { min: this.now - this.spanS, max: this.now });
    this.chart.update("none");
    this.describe();
  }

  barWidth() {
    const width = this.chart.chartArea?.width ?? 600;
    const spanOfOne = this.samples.at(-1)?.span_s ?? 1;
    return Math.max(1, (width * spanOfOne) / this.spanS);
  }

  describe() {
    const latest = Math.max(0, ...this.samples.map((sample) => sample.lateness_ms ?? 0));
    const lost = this.samples.reduce((sum, sample) => sum + sample.packets_dropped, 0);
    const words = this.samples.length
      ? `the latest packet ${latest} ms late, ${lost} packets lost`
      : "no figures in this time";
    this.canvas.setAttribute("aria-label", `Chart of the last ${Math.round(this.spanS / 60)} minutes: ${words}`);
  }

  /** The chart as a PNG with its title and legend. Returns a promise of a Blob. */
  toPng(title) {
    return pictureOf(this.canvas, title, [
      { label: "above: lateness, ms", colour: "--chart-1" },
      { label: "below: lost packets", colour: "--chart-4" },
    ]);
  }
}

function bars(label, axis) {
  return { label, data: [], yAxisID: axis, grouped: false, borderWidth: 0, categoryPercentage: 1, barPercentage: 1 };
}

function half(text, isShown) {
  return {
    title: { display: true, text, padding: 0 },
    border: { display: false },
    ticks: {
      maxTicksLimit: 9,
      padding: 6,
      callback: (value) => (isShown(value) ? String(Math.round(Math.abs(value))) : ""),
    },
  };
}
