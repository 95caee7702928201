// Orders to all streams or a group, each after a confirmation with the number of streams and far ends.
import { ApiError, ask, confirm, announce } from "./app.js";
import { stopWords } from "./interrupted.js";

const streams = (number, word = "") => `${number} ${word}${number === 1 ? "stream" : "streams"}`;
const inGroup = (group) => (group ? ` of “${group}”` : "");
const members = (all, group) => all.filter((stream) => !group || stream.group === group);

/** Stop every stream of a group, or of all, that is on air; `done` is called once they are off air. */
export async function stopAll(all, group, done) {
  const chosen = members(all, group).filter((stream) => stream.is_ordered);
  if (!chosen.length) return announce(`No stream${inGroup(group)} is on air.`);
  const peers = chosen.reduce((sum, stream) => sum + (stream.peers ?? 0), 0);
  const title =
    chosen.length === 1
      ? `Stop the 1 stream${inGroup(group)}?`
      : `Stop all ${streams(chosen.length)}${inGroup(group)}?`;
  const text = stopWords(peers, ...chosen.map((stream) => stream.direction));
  if (await confirm({ title, text, yes: "Stop all" })) await order("stop", "Stopped", group, done);
}

/** Start every stream of a group, or of all, that is off air; `done` is called once they have started. */
export async function startAll(all, group, done) {
  const chosen = members(all, group).filter((stream) => !stream.is_ordered);
  if (!chosen.length) return announce(`No stream${inGroup(group)} is off air.`);
  const title = `Start ${streams(chosen.length, "stopped ")}${inGroup(group)}?`;
  if (await confirm({ title, text: "Streams that are on air stay as they are.", yes: "Start all" }))
    await order("start", "Started", group, done);
}

async function order(word, past, group, done) {
  try {
    const { streams: followed, refused } = await ask(
      "POST",
      `/api/streams/${word}-all`,
      group ? { json: { group } } : {},
    );
    announce(`${past}: ${streams(followed.length)}`);
    for (const { label, message } of refused) announce(`${label}: ${message}`);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    announce(error.message);
  }
  done();
}
