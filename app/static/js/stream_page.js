// The common part of the pages of send and receive streams: orders, their buttons and keys, and the debug dialog.
import { dismissStream, isOrdered, restartStream, stopStream } from "./actions.js";
import { ApiError, ask, announce, copyText, onKey, openDialog } from "./app.js";
import { byId, setText } from "./dom.js";
import { offerOnNextPage } from "./undo.js";

/** The answer to a request; null after a failure, which is announced. */
export async function answerOf(request) {
  try {
    return await request;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    announce(error.message);
    return null;
  }
}

/** Label the buttons with what they do now. */
export function showOrderButtons(stream) {
  const ordered = isOrdered(stream);
  setText(byId("end").lastElementChild, ordered ? "Stop" : "Dismiss");
  byId("end").firstElementChild.className = ordered ? "fa-solid fa-stop" : "fa-solid fa-xmark";
  setText(byId("restart").lastElementChild, ordered ? "Restart" : "Start again");
  byId("end").disabled = stream.phase === "stopping";
}

/** The fields of a stream that an order needs. */
export const factsOf = ({ key, label, peers, spec, relay }) => ({
  key,
  label,
  direction: spec.direction,
  peers: relay ? relay.callers : peers.length,
});

/** Bind the buttons and keys. `viewOf` returns the stream's latest view, null before the first; `askNow` polls. */
export function bindOrders(viewOf, askNow) {
  const whenSeen = (act) => () => viewOf() && act(viewOf(), askNow);
  byId("restart").addEventListener("click", whenSeen(restart));
  byId("end").addEventListener("click", whenSeen(end));
  onKey(
    "s",
    "stop this stream",
    whenSeen((view) => isOrdered(view) && end(view, askNow)),
  );
  onKey(
    "X",
    "dismiss this stream when it is off air",
    whenSeen((view) => !isOrdered(view) && end(view, askNow)),
  );
  onKey("r", "restart this stream", whenSeen(restart));
  onKey("b", "back to the dashboard", () => location.assign("/"));
}

async function restart(view, askNow) {
  if (await restartStream(factsOf(view))) askNow();
}

async function end(view, askNow) {
  const stream = factsOf(view);
  if (isOrdered(view)) {
    if (await stopStream(stream)) askNow();
    return;
  }
  // A request for a stream that was dismissed gets an error.
  await askNow.stop();
  if (!(await dismissStream(stream))) {
    askNow.again();
    return;
  }
  offerOnNextPage(stream);
  location.assign("/");
}

/** Bind the debug dialog. `base` is the stream's address in the API. */
export function bindDebug(base) {
  const text = byId("debug-text");
  byId("show-debug").addEventListener("click", async () => {
    setText(text, "Asking the worker …");
    openDialog(byId("debug"));
    try {
      setText(text, JSON.stringify(await ask("GET", `${base}/debug`), null, 2));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setText(text, error.message);
    }
  });
  byId("copy-debug").addEventListener("click", () => copyText(text));
  onKey("d", "debug view", () => byId("show-debug").click());
}
