// The texts of a stream's row on the dashboard.
import { count, duration, mbps, secondsBetween, UNKNOWN, withUnit } from "./format.js";
import { attempts } from "./lamps.js";

/** The source: what it is, its group, its input rate, and its errors where there are any. */
export function sourceWords(stream) {
  const { source_errors: errors, input_mbps: input } = stream;
  return [
    stream.source,
    stream.source_note,
    stream.group && `group ${stream.group}`,
    input !== null && withUnit(mbps(input), "Mb/s in"),
    errors && `${count(errors)} source ${errors === 1 ? "error" : "errors"}`,
  ]
    .filter(Boolean)
    .join(" · ");
}

/** Why the stream is in its state, or how long it has been; a stale row says how old its figures are. */
export function reasonWords(stream, now) {
  if (stream.is_stale) return `figures ${Math.round(stream.sample_age_s)} s old`;
  const words = [
    stream.reason_text || duration(secondsBetween(stream.since, now)),
    stream.remark || (stream.refused ? `${count(stream.refused)} refused` : null),
    attempts(stream),
  ];
  return words.filter(Boolean).join(" · ") || UNKNOWN;
}
