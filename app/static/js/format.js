// Figures as people read them. Unknown is a dash, zero is 0. Pure: no page, no clock.

export const UNKNOWN = "–";
const THIN_SPACE = "\u202f";

const known = (value) => value !== null && value !== undefined && !Number.isNaN(value);

function fixed(value, digits) {
  return known(value) ? value.toFixed(digits) : UNKNOWN;
}

/** Megabits a second: two digits after the point, one from 100 on. */
export function mbps(value) {
  return fixed(value, known(value) && value >= 100 ? 1 : 2);
}

/** Milliseconds: one digit after the point under 10, two under 1. */
export function ms(value) {
  if (!known(value) || value === 0 || value >= 10) return fixed(value, 0);
  return fixed(value, value < 1 ? 2 : 1);
}

/** Percent: one digit after the point, two where one would show a small value as 0. */
export function percent(value) {
  return fixed(value, known(value) && value > 0 && value < 0.1 ? 2 : 1);
}

/** Latency / RTT: one digit under 10; above 99 the exact value has no meaning. */
export function times(value) {
  if (!known(value)) return UNKNOWN;
  if (value > 99) return "> 99";
  return value.toFixed(value < 10 ? 1 : 0);
}

/** A figure with its unit in one text; an unknown one has no unit. */
export function withUnit(text, unit) {
  return text === UNKNOWN ? UNKNOWN : `${text} ${unit}`;
}

/** A count, in groups of three. */
export function count(value) {
  return known(value) ? String(Math.round(value)).replace(/\B(?=(\d{3})+(?!\d))/g, THIN_SPACE) : UNKNOWN;
}

/** Bytes in decimal units, as storage is sold and bitrates are counted. */
export function bytes(value) {
  if (!known(value)) return UNKNOWN;
  const units = ["B", "kB", "MB", "GB", "TB"];
  let power = 0;
  let left = value;
  while (left >= 1000 && power < units.length - 1) {
    left /= 1000;
    power += 1;
  }
  return `${left.toFixed(power && left < 100 ? 1 : 0)} ${units[power]}`;
}

const two = (value) => String(value).padStart(2, "0");

/** A duration in seconds: 00:01:05, from a day on 3 d 06:02. */
export function duration(seconds) {
  if (!known(seconds)) return UNKNOWN;
  const whole = Math.max(0, Math.floor(seconds));
  const days = Math.floor(whole / 86400);
  const hours = Math.floor((whole % 86400) / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  return days ? `${days} d ${two(hours)}:${two(minutes)}` : `${two(hours)}:${two(minutes)}:${two(whole % 60)}`;
}

/** The duration of a file: tenths of a second under a minute, so that a short one is not rounded to its second. */
export function playingTime(seconds) {
  if (!known(seconds)) return UNKNOWN;
  return seconds < 59.95 ? `${seconds.toFixed(1)} s` : duration(Math.round(seconds));
}

/** The time of day, UTC, of an ISO text or Unix seconds. */
export function timeOfDay(when) {
  return dateOf(when).toISOString().slice(11, 19);
}

/** Date and time of day, UTC. */
export function dateAndTime(when) {
  return dateOf(when).toISOString().slice(0, 19).replace("T", " ");
}

/** The time of day if it was today, else with the date; `now` is an ISO text. */
export function moment(when, now) {
  const text = dateAndTime(when);
  return text.slice(0, 10) === now.slice(0, 10) ? text.slice(11) : text.slice(5);
}

/** Seconds from one ISO text to another. */
export function secondsBetween(from, to) {
  return (Date.parse(to) - Date.parse(from)) / 1000;
}

function dateOf(when) {
  return new Date(typeof when === "number" ? when * 1000 : when);
}
