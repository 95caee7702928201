// What can be done to a stream, with the question before it where something would go off air.
import { ApiError, ask, confirm, announce } from "./app.js";

/** Whether a stream can be stopped; one that cannot may be dismissed. */
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

const receivers = (number) =>
  number === 1 ? "1 receiver will be disconnected." : `${number} receivers will be disconnected.`;
const reconnects = (number) =>
  number === 1
    ? "1 receiver will be disconnected and has to reconnect."
    : `${number} receivers will be disconnected and have to reconnect.`;

/** Stop after a question that names the stream. */
export async function stopStream({ key, label, peers }) {
  const yes = await confirm({
    title: `Stop “${label}”?`,
    text: peers ? receivers(peers) : "No receiver is connected.",
    yes: "Stop the stream",
  });
  return yes && act("POST", `/api/streams/${key}/stop`, `Stopped: ${label}`);
}

/** Start again; asked first when receivers would notice. */
export async function restartStream({ key, label, peers }) {
  const yes =
    !peers || (await confirm({ title: `Restart “${label}”?`, text: reconnects(peers), yes: "Restart the stream" }));
  return yes && act("POST", `/api/streams/${key}/start`, `Started again: ${label}`);
}

/** Give a stream other settings, and restart it with them; asked first when receivers would notice. */
export async function changeStream({ key, label, peers }, spec) {
  const yes =
    !peers ||
    (await confirm({
      title: `Restart “${label}” with other settings?`,
      text: reconnects(peers),
      yes: "Apply and restart",
    }));
  return yes && act("PUT", `/api/streams/${key}`, `Restarted with other settings: ${label}`, { json: spec });
}

/** Forget a stream that is off air. The caller offers to undo it. */
export function dismissStream({ key }) {
  return act("DELETE", `/api/streams/${key}`);
}
