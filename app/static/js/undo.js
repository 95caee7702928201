// Undo of a dismissal: offered for as long as the server keeps the stream, on this page or on the one that follows.
import { ApiError, ask, offer, announce } from "./app.js";

const UNDO_MS = 10_000;
const KEPT_UNDER = "dismissed";

/** Offer to bring a dismissed stream back; `done` is called once it is listed again. */
export function offerUndo({ key, label }, done, forMs = UNDO_MS) {
  offer(`Removed ${label}.`, "Undo", forMs, async () => {
    try {
      await ask("POST", `/api/streams/${key}/undo_dismiss`);
      announce(`Back in the list: ${label}`);
      done();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      announce(error.message);
    }
  });
}

/** Keep the offer for the page that is opened next. */
export function offerOnNextPage({ key, label }) {
  sessionStorage.setItem(KEPT_UNDER, JSON.stringify({ key, label, at: Date.now() }));
}

/** Make the offer that an earlier page left, if there is still time. */
export function offerKept(done) {
  const kept = sessionStorage.getItem(KEPT_UNDER);
  sessionStorage.removeItem(KEPT_UNDER);
  if (!kept) return;
  const { at, ...stream } = JSON.parse(kept);
  const leftMs = UNDO_MS - (Date.now() - at);
  if (leftMs > 0) offerUndo(stream, done, leftMs);
}

/** Accept the newest offer that is still shown. */
export function undoNewest() {
  [...document.querySelectorAll("#toasts button")].at(-1)?.click();
}
