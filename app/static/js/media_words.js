// The facts about a transport stream file in one line.
import { bytes, dateAndTime, playingTime } from "./format.js";

/** A file's quick check: bitrate, clock and duration. */
export function describeMedia(check) {
  const parts = [];
  if (check.bitrate_bps)
    parts.push(`${(check.bitrate_bps / 1e6).toFixed(2)} Mb/s${check.is_constant_bitrate ? " constant" : ""}`);
  if (check.pcr_interval_ms) parts.push(`PCR ${Math.round(check.pcr_interval_ms)} ms`);
  if (check.duration_s) parts.push(playingTime(check.duration_s));
  return parts.join(" · ");
}

/** A file of a listing: size, date, and its check or what is wrong with it. */
export function describeFile(file) {
  const facts = [bytes(file.size_bytes), dateAndTime(file.modified_at).slice(0, 16)];
  if (file.problem) facts.push(file.problem);
  else if (file.check) facts.push(describeMedia(file.check));
  return facts.filter(Boolean).join(" · ");
}
