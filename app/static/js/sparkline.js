// Five minutes of payload as a line: 60 buckets of 5 s; the one that is still filling is not drawn.

const BUCKETS = 60;
const BUCKET_S = 5;
const WIDTH = 84;
const HEIGHT = 24;
const SVG = "http://www.w3.org/2000/svg";

/** The history of one stream: first from the server, then continued with each poll. */
export class Spark {
  constructor() {
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.setAttribute("class", "spark");
    this.svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    this.svg.setAttribute("aria-hidden", "true");
    this.path = document.createElementNS(SVG, "path");
    this.svg.append(this.path);
    this.buckets = new Array(BUCKETS).fill(null);
    this.sum = 0;
    this.count = 0;
    this.number = null;
  }

  /** Take the server's five minutes, oldest first. */
  load(values) {
    this.buckets = values.length ? values.slice(-BUCKETS) : new Array(BUCKETS).fill(null);
    this.count = 0;
    this.number = null;
    this.draw();
  }

  /** Add a reading; `at` is its time in seconds. */
  add(at, value) {
    const number = Math.floor(at / BUCKET_S);
    if (this.number === null) this.number = number;
    for (; this.number < number; this.number += 1) {
      this.buckets.shift();
      this.buckets.push(null);
      this.sum = 0;
      this.count = 0;
    }
    if (value !== null) {
      this.sum += value;
      this.count += 1;
      this.buckets[BUCKETS - 1] = this.sum / this.count;
    }
    this.draw();
  }

  draw() {
    // From zero, and without the bucket that is still filling, whose mean would jump.
    const finished = this.buckets.slice(0, -1);
    const top = Math.max(...finished.filter((value) => value !== null), 0.1);
    let isDown = false;
    const steps = finished.map((value, index) => {
      if (value === null) {
        isDown = false;
        return "";
      }
      const x = (index / (BUCKETS - 2)) * WIDTH;
      const y = HEIGHT - 2 - (value / top) * (HEIGHT - 4);
      const step = `${isDown ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
      isDown = true;
      return step;
    });
    this.path.setAttribute("d", steps.join(""));
  }
}
