// The charts of a stream's page. A gap in the past is a gap in the line, never a bridge over it.
import { timeOfDay } from "./format.js";

const Chart = window.Chart;
const GAP_S = 5;

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** A chart over time; `lines` are {label, colour: CSS variable, read: sample => value, axis, isBar}. */
export class TimeChart {
  constructor(canvas, lines, { second = null } = {}) {
    this.canvas = canvas;
    this.lines = lines;
    this.samples = [];
    this.spanS = 300;
    Chart.defaults.font.family = getComputedStyle(document.body).getPropertyValue("--bs-font-monospace");
    Chart.defaults.font.size = 10.5;
    this.chart = new Chart(canvas, {
      type: "line",
      data: {
        datasets: lines.map(({ label, axis }) => ({
          label,
          data: [],
          yAxisID: axis ?? "y",
          borderWidth: 1.5,
          pointRadius: 0,
          pointHitRadius: 6,
          spanGaps: false,
        })),
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
          tooltip: { callbacks: { title: (items) => (items.length ? `${timeOfDay(items[0].parsed.x)} UTC` : "") } },
        },
        scales: {
          x: { type: "linear", grid: { display: false }, ticks: { maxRotation: 0, autoSkipPadding: 24, includeBounds: false, stepSize: 60, callback: (value) => timeOfDay(value).slice(0, 5) } },
          y: { beginAtZero: true, grace: "10%", ticks: { maxTicksLimit: 5, padding: 6 }, border: { display: false } },
          ...(second ? { y2: { position: "right", beginAtZero: true, suggestedMax: 5, ticks: { maxTicksLimit: 5, precision: 0, padding: 6 }, grid: { display: false }, border: { display: false } } } : {}),
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
      Object.assign(this.chart.data.datasets[index], { borderColor: colour(name), backgroundColor: colour(name) });
    });
    for (const [name, scale] of Object.entries(this.chart.options.scales)) {
      scale.ticks.color = colour("--dim");
      if (name === "y") scale.grid = { color: colour("--grid") };
    }
    const { tooltip } = this.chart.options.plugins;
    Object.assign(tooltip, {
      backgroundColor: colour("--panel-3"), titleColor: colour("--bs-body-color"), bodyColor: colour("--bs-body-color"),
      borderColor: colour("--edge"), borderWidth: 1,
    });
  }

  /** Draw samples (oldest first) of the last `spanS` seconds before `now`. */
  show(samples, now, spanS) {
    this.spanS = spanS;
    const shown = withGaps(samples.filter((sample) => sample.at > now - spanS));
    this.lines.forEach(({ read }, index) => {
      this.chart.data.datasets[index].data = shown.map((sample) => ({ x: sample.at, y: sample.isGap ? null : read(sample) }));
    });
    Object.assign(this.chart.options.scales.x, { min: now - spanS, max: now });
    this.chart.options.scales.x.ticks.stepSize = spanS / 5;
    this.chart.update("none");
    this.describe(shown);
  }

  describe(samples) {
    const last = samples.at(-1);
    const words = this.lines.map(({ label, read }) => `${label} ${last && !last.isGap ? (read(last) ?? "unknown") : "unknown"}`);
    this.canvas.setAttribute("aria-label", `Chart of the last ${Math.round(this.spanS / 60)} minutes. Now: ${words.join(", ")}`);
  }

  /** The chart as a PNG with its title over it, on the page's ground. Gives a promise of a Blob. */
  toPng(title) {
    const { canvas } = this;
    const head = 36 * (window.devicePixelRatio || 1);
    const picture = document.createElement("canvas");
    picture.width = canvas.width;
    picture.height = canvas.height + head;
    const pen = picture.getContext("2d");
    pen.fillStyle = colour("--panel");
    pen.fillRect(0, 0, picture.width, picture.height);
    pen.fillStyle = colour("--bs-body-color");
    pen.font = `600 ${head * 0.42}px ${getComputedStyle(document.body).fontFamily}`;
    pen.fillText(title, head * 0.4, head * 0.66, picture.width - head);
    pen.drawImage(canvas, 0, head);
    return new Promise((resolve) => {
      picture.toBlob(resolve, "image/png");
    });
  }
}

function withGaps(samples) {
  const shown = [];
  for (const sample of samples) {
    const last = shown.at(-1);
    if (last && sample.at - last.at > GAP_S) shown.push({ at: last.at + 0.5, isGap: true });
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
