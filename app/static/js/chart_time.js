// The time axis of a chart: the positions and labels of its ticks, and the gaps in the line.
import { dateAndTime, timeOfDay } from "./format.js";

const STEPS_S = [5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 43_200, 86_400];
const TICKS_MAX = 6;

/** The shortest step that needs at most six ticks. */
export const stepFor = (spanS) => STEPS_S.find((step) => spanS / step <= TICKS_MAX) ?? STEPS_S.at(-1);

/** Ticks at whole steps from `min` to `max`: a label without seconds must be at a whole minute. */
export function wholeSteps({ min, max }, everyS) {
  const ticks = [];
  for (let value = Math.ceil(min / everyS) * everyS; value <= max; value += everyS) ticks.push({ value });
  return ticks;
}

/** The label of a tick: with the date in a range over a day, with seconds in a short one. */
export function tickText(value, spanS) {
  if (spanS > 86_400) return dateAndTime(value).slice(5, 16);
  return timeOfDay(value).slice(0, spanS > 360 || spanS === 300 ? 5 : 8);
}

/** The samples, with a mark wherever two are more than `gapS` apart. */
export function withGaps(samples, gapS) {
  const shown = [];
  for (const sample of samples) {
    const last = shown.at(-1);
    if (last && sample.at - last.at > gapS) shown.push({ at: last.at + 0.5, isGap: true });
    shown.push(sample);
  }
  return shown;
}
