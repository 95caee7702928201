// One-line texts about a stream, for the dashboard and the stream's page.
import { count, duration, secondsBetween, timeOfDay, UNKNOWN } from "./format.js";
import { attempts } from "./lamps.js";

/** The source: what it is, and its group. */
export function sourceWords({ source, source_note: note, group }) {
  return [source, note, group && `group ${group}`].filter(Boolean).join(" · ");
}

/** The errors of the source, nothing where there are none or none are known. */
export function inputErrorWords({ source_errors: errors }) {
  return errors ? `${count(errors)} ${errors === 1 ? "error" : "errors"}` : "";
}

const ageWords = (stream) => `figures ${Math.round(stream.sample_age_s)} s old`;

/** Why the stream is in its state, or how long it has been; a stale row says how old its figures are. */
export function reasonWords(stream, now) {
  if (stream.is_stale) return ageWords(stream);
  const words = [
    stream.reason_text || duration(secondsBetween(stream.since, now)),
    stream.remark || (stream.refused ? `${count(stream.refused)} refused` : null),
    attempts(stream),
  ];
  return words.filter(Boolean).join(" · ") || UNKNOWN;
}

/** The line next to a stream's name: why it is in its state, since when, and the age of stale figures. */
export function sinceWords(stream, now, { remark = null, isOld = false }) {
  const words = [
    stream.reason_text,
    `for ${duration(secondsBetween(stream.since, now))}, since ${timeOfDay(stream.since)} UTC`,
    remark,
    attempts(stream),
    isOld && ageWords(stream),
  ];
  return words.filter(Boolean).join(" · ");
}
