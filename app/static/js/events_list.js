// Events as a short list: time, stream, what happened, how often.
import { make } from "./dom.js";
import { dateAndTime, moment } from "./format.js";

/** Show events, newest first. With `name`, each says which stream it concerns. */
export function showEvents(list, events, now, { withName }) {
  const shown = JSON.stringify(events);
  if (list.dataset.shown === shown) return;
  list.dataset.shown = shown;
  const items = events.map((event) =>
    make(
      "li",
      {},
      make(
        "time",
        { datetime: event.at, title: `${dateAndTime(event.at)} UTC, ${event.actor}` },
        moment(event.at, now),
      ),
      make(
        "span",
        {},
        ...(withName && event.name ? [make("b", {}, event.name), " "] : []),
        event.text,
        ...(event.count > 1
          ? [make("span", { class: "dim" }, ` (${event.count} times since ${moment(event.first_at, now)})`)]
          : []),
      ),
    ),
  );
  list.replaceChildren(
    ...(items.length
      ? items
      : [make("li", { class: "dim" }, make("time", {}, "–"), make("span", {}, "Nothing has happened yet"))]),
  );
}
