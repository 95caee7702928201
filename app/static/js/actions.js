// The orders to a stream. An order that interrupts something asks for confirmation first.
import { ApiError, ask, confirm, announce } from "./app.js";
import { restartWords, stopWords } from "./interrupted.js";

/** Whether a stream can be stopped; otherwise it can be dismissed. */
export const isOrdered = (stream) => stream.is_ordered;

async function act(method, url, done, options = {}) {
  try {
    await ask(method, url, options);
    if (done) announce(done);
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    announce(error.message);
    return false;
  }
}

/** Stop a stream after a confirmation that names it. */
export async function stopStream({ key, label, peers, direction }) {
  const yes = await confirm({
    title: `Stop “${label}”?`,
    text: stopWords(peers, direction),
    yes: "Stop the stream",
  });
  return yes && act("POST", `/api/streams/${key}/stop`, `Stopped: ${label}`);
}

/** Start a stream again; ask first if that interrupts far ends. */
export async function restartStream({ key, label, peers, direction }) {
  const text = restartWords(peers, direction);
  const yes = !peers || (await confirm({ title: `Restart “${label}”?`, text, yes: "Restart the stream" }));
  return yes && act("POST", `/api/streams/${key}/start`, `Started again: ${label}`);
}

/** Change a stream's settings and restart it; ask first if that interrupts far ends. */
export async function changeStream({ key, label, peers, direction }, spec) {
  const yes =
    !peers ||
    (await confirm({
      title: `Restart “${label}” with other settings?`,
      text: restartWords(peers, direction),
      yes: "Apply and restart",
    }));
  return yes && act("PUT", `/api/streams/${key}`, `Restarted with other settings: ${label}`, { json: spec });
}

/** Dismiss a stream that is off air. The caller offers to undo this. */
export function dismissStream({ key }) {
  return act("DELETE", `/api/streams/${key}`);
}
