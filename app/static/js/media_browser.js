// The media folder in a dialog: folders and .ts files, a filter, arrow keys.
import { ApiError, ask, openDialog } from "./app.js";
import { byId, icon, make, setText, spoken } from "./dom.js";
import { folderOf, foldersTo, pageOf } from "./media_paths.js";
import { describeFile } from "./media_words.js";

/** Set up the dialog; `chosen` gets the path of the file that was chosen. */
export function bindMediaBrowser(chosen) {
  const browser = new MediaBrowser(byId("media-browser"), chosen);
  browser.bind();
  return browser;
}

class MediaBrowser {
  constructor(dialog, chosen) {
    this.dialog = dialog;
    this.chosen = chosen;
    this.list = byId("media-list");
    this.filter = byId("media-filter");
    this.modal = window.bootstrap.Modal.getOrCreateInstance(dialog);
    this.folder = "";
  }

  bind() {
    this.filter.addEventListener("input", () => this.applyFilter());
    this.dialog.addEventListener("keydown", (event) => this.moveFocus(event));
  }

  /** Open the folder that contains a path. */
  open(path) {
    openDialog(this.dialog);
    this.show(folderOf(path));
  }

  async show(path) {
    this.folder = path;
    this.filter.value = "";
    this.showPath();
    try {
      const { folders, files } = await ask("GET", `/api/media?path=${encodeURIComponent(path)}`);
      if (this.folder !== path) return;
      const items = [...folders.map((entry) => this.folderItem(entry)), ...files.map((file) => this.fileItem(file))];
      this.list.replaceChildren(...items);
      showEmpty(items.length ? "" : "There is no .ts file here. Copy some into the media folder.");
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.list.replaceChildren();
      showEmpty(error.message);
    }
    (this.list.querySelector("button:not(:disabled)") ?? this.filter).focus();
  }

  showPath() {
    byId("media-path").replaceChildren(
      ...foldersTo(this.folder).flatMap(({ name, path }, index) => {
        const link = make("button", { type: "button", class: "btn btn-link btn-sm p-0 align-baseline" }, name);
        link.addEventListener("click", () => this.show(path));
        return index ? [" / ", link] : [link];
      }),
    );
  }

  folderItem(entry) {
    const button = itemButton(entry, "fa-solid fa-folder warn", icon("fa-solid fa-chevron-right dim"));
    button.append(make("span", { class: "file-facts" }, entry.problem ?? ""));
    button.addEventListener("click", () => this.show(entry.path));
    return make("li", { "data-name": entry.name.toLowerCase() }, button);
  }

  fileItem(file) {
    const button = itemButton(file, "fa-regular fa-file-video dim", make("span"));
    button.append(make("span", { class: "file-facts" }, describeFile(file)));
    button.addEventListener("click", () => {
      this.modal.hide();
      this.chosen(file.path);
    });
    const details = make(
      "a",
      { href: pageOf(file.path), title: "Details and pre-flight" },
      icon("fa-solid fa-circle-info"),
      spoken(`Details of ${file.name}`),
    );
    return make("li", { "data-name": file.name.toLowerCase() }, button, details);
  }

  applyFilter() {
    const words = this.filter.value.trim().toLowerCase();
    for (const item of this.list.children) item.hidden = !item.dataset.name.includes(words);
  }

  moveFocus(event) {
    if (!["ArrowDown", "ArrowUp"].includes(event.key)) return;
    event.preventDefault();
    const buttons = [...this.list.querySelectorAll("li:not([hidden]) button:not(:disabled)")];
    const now = buttons.indexOf(document.activeElement);
    const next = event.key === "ArrowDown" ? now + 1 : now - 1;
    if (next < 0) this.filter.focus();
    else buttons[Math.min(next, buttons.length - 1)]?.focus();
  }
}

/** The button of a folder or file; one that has a problem cannot be chosen. */
function itemButton({ name, problem }, look, end) {
  const button = make("button", { type: "button" }, icon(look), make("span", { class: "file-name" }, name), end);
  button.disabled = Boolean(problem);
  return button;
}

function showEmpty(text) {
  setText(byId("media-empty"), text);
  byId("media-empty").classList.toggle("d-none", !text);
}
