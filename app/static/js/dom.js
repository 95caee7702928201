// Small helpers to make and change nodes. Text goes in as text, never as markup.

/** Make an element: properties by name, `data-…` and `aria-…` as attributes, children as nodes or texts. */
export function make(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined) continue;
    if (name === "class") node.className = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** Set a node's text if it differs: an unchanged node keeps its selection and is not read again. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Set a node's class if it differs. */
export function setClass(node, name) {
  if (node.className !== name) node.className = name;
}

/** A figure with its unit; an unknown one has none. */
export function setFigure(node, text, unit) {
  const shown = text === "–" ? "" : unit;
  if (node.dataset.shown === `${text}|${shown}`) return;
  node.dataset.shown = `${text}|${shown}`;
  node.replaceChildren(text, ...(shown ? [make("span", { class: "unit" }, shown)] : []));
}

/** A Font Awesome icon that screen readers ignore. */
export function icon(name) {
  return make("i", { class: name, "aria-hidden": "true" });
}

/** A text for screen readers alone. */
export function spoken(text) {
  return make("span", { class: "visually-hidden" }, text);
}

export const byId = (id) => document.getElementById(id);
