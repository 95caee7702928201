// Orders to all streams at once, each after a question that says how many streams and receivers it concerns.
import { ApiError, ask, confirm, tell } from "./app.js";

const streams = (number, word = "") => `${number} ${word}${number === 1 ? "stream" : "streams"}`;

/** Stop every stream that is on air; `done` is called once they are off air. */
export async function stopAll(all, done) {
  const chosen = all.filter((stream) => stream.is_ordered);
  if (!chosen.length) return tell("No stream is on air.");
  const peers = chosen.reduce((sum, stream) => sum + (stream.peers ?? 0), 0);
  const title = chosen.length === 1 ? "Stop the 1 stream?" : `Stop all ${streams(chosen.length)}?`;
  const text = peers
    ? `${peers} ${peers === 1 ? "receiver" : "receivers"} will be disconnected.`
    : "No receiver is connected.";
  if (await confirm({ title, text, yes: "Stop all" })) await order("stop", "Stopped", done);
}

/** Start every stream that is off air; `done` is called once they have started. */
export async function startAll(all, done) {
  const chosen = all.filter((stream) => !stream.is_ordered);
  if (!chosen.length) return tell("No stream is off air.");
  const title = `Start ${streams(chosen.length, "stopped ")}?`;
  if (await confirm({ title, text: "Streams that are on air stay as they are.", yes: "Start all" }))
    await order("start", "Started", done);
}

async function order(word, past, done) {
  try {
    const { streams: followed, refused } = await ask("POST", `/api/streams/${word}-all`);
    tell(`${past}: ${streams(followed.length)}`);
    for (const { label, message } of refused) tell(`${label}: ${message}`);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    tell(error.message);
  }
  done();
}
