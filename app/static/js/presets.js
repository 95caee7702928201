// The page of presets and the address book.
import { ApiError, ask, confirm, pollOverview, announce } from "./app.js";
import { byId, make, setText } from "./dom.js";
import { askEntry } from "./entry_dialog.js";

const FAR_END_FIELDS = ["name", "host", "port", "stream_id", "notes"];
const cell = (name, ...children) => make("td", { role: "cell", class: name }, ...children);
const row = (key, ...cells) => make("tr", { role: "row", "data-key": key }, ...cells);
const count = (number, one, many) => `${number} ${number === 1 ? one : many}`;

function button(words, label, act) {
  const node = make("button", { type: "button", class: "btn btn-q ms-1", "aria-label": label }, words);
  node.addEventListener("click", act);
  return node;
}

async function show() {
  try {
    const [{ presets, problems }, { far_ends: farEnds }] = await Promise.all([
      ask("GET", "/api/presets"),
      ask("GET", "/api/far-ends"),
    ]);
    showProblem(problems.join(" "));
    showRows("presets", presets.map(presetRow), "No presets yet. Save one from the form of a new stream.");
    showRows("far-ends", farEnds.map(farEndRow), "No far ends yet.");
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    showProblem(error.message);
  }
}

function showProblem(text) {
  setText(byId("book-problem"), text);
  byId("book-problem").classList.toggle("d-none", !text);
}

function showRows(id, rows, emptyWords) {
  byId(id).replaceChildren(...rows);
  byId(id).closest(".scroll-x").hidden = !rows.length;
  byId(`${id}-empty`).hidden = rows.length > 0;
  setText(byId(`${id}-empty`), emptyWords);
}

function presetRow({ key, name, text, spec }) {
  const rename = () =>
    askEntry({
      title: `Rename “${name}”`,
      fields: ["name"],
      values: { name },
      order: (typed) => ({ method: "PUT", url: `/api/presets/${key}`, json: { name: typed.name, spec } }),
      done: show,
    });
  const [page, words] = spec.direction === "receive" ? ["/receive", "Receive"] : ["/caller", "New stream"];
  const use = make(
    "a",
    { class: "btn btn-q", href: `${page}?preset=${encodeURIComponent(key)}`, "aria-label": `${words} with ${name}` },
    words,
  );
  return row(
    key,
    cell("name", name),
    cell("", text),
    cell(
      "r actions",
      use,
      button("Rename", `Rename ${name}`, rename),
      button("Delete", `Delete ${name}`, () => remove("preset", `/api/presets/${key}`, name)),
    ),
  );
}

function farEndRow(entry) {
  const { key, name, host, port, stream_id: streamId, notes } = entry;
  const edit = () =>
    askEntry({
      title: `Edit “${name}”`,
      fields: FAR_END_FIELDS,
      values: entry,
      order: (json) => ({ method: "PUT", url: `/api/far-ends/${key}`, json }),
      done: show,
    });
  return row(
    key,
    cell("name", name),
    cell("num", host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`),
    cell("", streamId ?? "–"),
    cell("", notes || "–"),
    cell(
      "r actions",
      button("Edit", `Edit ${name}`, edit),
      button("Delete", `Delete ${name}`, () => remove("far end", `/api/far-ends/${key}`, name)),
    ),
  );
}

async function remove(word, url, name) {
  const text = "Streams stay as they are.";
  if (!(await confirm({ title: `Delete the ${word} “${name}”?`, text, yes: `Delete the ${word}` }))) return;
  try {
    await ask("DELETE", url);
    announce(`Deleted: ${name}`);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    announce(error.message);
  }
  show();
}

async function importFile(file) {
  let json;
  try {
    json = JSON.parse(await file.text());
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return showImport(`${file.name} is not JSON. Import a file that was exported here.`, []);
  }
  try {
    const { presets, far_ends: farEnds, replaced, refused } = await ask("POST", "/api/presets/import", { json });
    const taken = [count(presets, "preset", "presets"), count(farEnds, "far end", "far ends")].join(" and ");
    const again = replaced ? `, of which ${replaced} replaced an entry of the same name` : "";
    showImport(`Imported from ${file.name}: ${taken}${again}.`, refused);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    showImport(Object.values(error.fields).join("; ") || error.message, []);
  }
  show();
}

/** Show the result of an import, and list the refused entries. */
function showImport(text, refused) {
  const lines = refused.map(({ kind, position, name, fields }) => {
    const faults = Object.entries(fields).map(
      ([field, fault]) => `${field.split(".").at(-1).replaceAll("_", " ")}: ${fault}`,
    );
    return make("li", {}, `Not imported: ${kind} ${name ? `“${name}”` : `number ${position}`}. ${faults.join("; ")}`);
  });
  setText(byId("import-text"), text);
  byId("import-refused").replaceChildren(...lines);
  byId("import-result").classList.remove("d-none");
  byId("import-result").focus();
}

byId("add-far-end").addEventListener("click", () =>
  askEntry({
    title: "New far end",
    fields: FAR_END_FIELDS,
    values: {},
    order: (json) => ({ method: "POST", url: "/api/far-ends", json }),
    done: show,
  }),
);
byId("import").addEventListener("click", () => byId("import-file").click());
byId("import-file").addEventListener("change", ({ target }) => {
  if (target.files.length) importFile(target.files[0]);
  // The same file can be chosen again.
  target.value = "";
});
pollOverview();
show();
