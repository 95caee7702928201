// The event log, with a filter over what is shown.
import { onKey, poll } from "./app.js";
import { byId, make, setText } from "./dom.js";
import { count, dateAndTime } from "./format.js";

const body = byId("log");
const filter = byId("filter");
const { key } = body.dataset;
let shown = "";

setText(byId("log-empty"), "Loading events …");
byId("log-empty").hidden = false;

poll(`/api/events?limit=500${key ? `&key=${encodeURIComponent(key)}` : ""}`, 2000, ({ events }) => {
  const fresh = JSON.stringify(events);
  if (fresh === shown) return;
  shown = fresh;
  body.replaceChildren(...events.map(row));
  applyFilter();
});

function row(event) {
  const stream = event.key
    ? make("a", { href: `/stream/${encodeURIComponent(event.key)}` }, event.name || event.key)
    : event.name;
  const often =
    event.count > 1
      ? make("span", { class: "dim" }, ` (${count(event.count)} times since ${dateAndTime(event.first_at)})`)
      : null;
  return make(
    "tr",
    { role: "row" },
    make("td", { role: "cell", class: "num" }, make("time", { datetime: event.at }, dateAndTime(event.at))),
    make("td", { role: "cell", class: "text-break" }, stream),
    make("td", { role: "cell", class: "text-break" }, event.text, often),
    make("td", { role: "cell", class: "dim" }, event.actor),
  );
}

function applyFilter() {
  const words = filter.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  let fitting = 0;
  for (const node of body.children) {
    const text = node.textContent.toLowerCase();
    node.hidden = !words.every((word) => text.includes(word));
    fitting += !node.hidden;
  }
  byId("log-empty").hidden = fitting > 0;
  setText(byId("log-empty"), body.children.length ? "No event fits the filter." : "Nothing has happened yet.");
}

filter.addEventListener("input", applyFilter);
onKey("/", "filter the events", () => filter.focus());
