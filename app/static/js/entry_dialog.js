// The dialog that names a preset, or edits a far end of the address book.
import { ApiError, ask, openDialog } from "./app.js";
import { byId, setText } from "./dom.js";

const FIELDS = ["name", "host", "port", "stream_id", "notes"];
const input = (name) => byId(`entry-${name}`);

let asked = null;

/**
 * Ask for the fields of an entry. `order` makes the method, address and document of the request from the typed values;
 * `done` is called after it was accepted.
 */
export function askEntry({ title, fields, values, order, done }) {
  asked = { fields, order, done };
  setText(byId("entry-title"), title);
  for (const name of FIELDS) {
    byId("entry-form").querySelector(`[data-field=${name}]`).hidden = !fields.includes(name);
    input(name).value = values[name] ?? "";
  }
  showFaults({}, "");
  asked.dialog = openDialog(byId("entry"));
}

/** The typed values: an empty stream ID becomes null, and a port becomes a number if possible. */
function typed(fields) {
  const values = Object.fromEntries(fields.map((name) => [name, input(name).value.trim()]));
  if ("port" in values && /^\d{1,9}$/.test(values.port)) values.port = Number(values.port);
  if ("stream_id" in values) values.stream_id = values.stream_id || null;
  return values;
}

function showFaults(faults, message) {
  for (const name of FIELDS) {
    const text = faults[name] ?? "";
    setText(byId(`entry-${name}-fault`), text);
    byId(`entry-${name}-fault`).classList.toggle("d-block", Boolean(text));
    input(name).classList.toggle("is-invalid", Boolean(text));
  }
  const isPlaced = FIELDS.some((name) => faults[name]);
  setText(byId("entry-problem"), isPlaced ? "" : message);
  byId("entry-problem").classList.toggle("d-none", isPlaced || !message);
}

byId("entry").addEventListener("shown.bs.modal", () => input("name").focus());
byId("entry-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { method, url, json } = asked.order(typed(asked.fields));
  try {
    await ask(method, url, { json });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return showFaults(error.fields, error.message);
  }
  asked.dialog.hide();
  asked.done();
});
