// The media folder in a dialog: folders and .ts files, a filter, arrow keys.
import { ApiError, ask, openDialog } from "./app.js";
import { byId, icon, make, setText, spoken } from "./dom.js";
import { describeFile } from "./media_words.js";

/** Bring the dialog to life; `chosen` gets the path of the file that was chosen. */
export function bindMediaBrowser(chosen) {
  const dialog = byId("media-browser");
  const list = byId("media-list");
  const filter = byId("media-filter");
  const modal = window.bootstrap.Modal.getOrCreateInstance(dialog);
  let folder = "";

  async function show(path) {
    folder = path;
    filter.value = "";
    showPath();
    try {
      const listing = await ask("GET", `/api/media?path=${encodeURIComponent(path)}`);
      if (folder !== path) return;
      list.replaceChildren(...listing.folders.map(folderItem), ...listing.files.map(fileItem));
      say(list.children.length ? "" : "There is no .ts file here. Copy some into the media folder.");
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      list.replaceChildren();
      say(error.message);
    }
    (list.querySelector("button:not(:disabled)") ?? filter).focus();
  }

  function say(text) {
    setText(byId("media-empty"), text);
    byId("media-empty").classList.toggle("d-none", !text);
  }

  function showPath() {
    const parts = folder ? folder.split("/") : [];
    const links = [["media", ""], ...parts.map((name, index) => [name, parts.slice(0, index + 1).join("/")])];
    byId("media-path").replaceChildren(
      ...links.flatMap(([name, path], index) => {
        const link = make("button", { type: "button", class: "btn btn-link btn-sm p-0 align-baseline" }, name);
        link.addEventListener("click", () => show(path));
        return index ? [" / ", link] : [link];
      }),
    );
  }

  function folderItem(entry) {
    const button = make(
      "button",
      { type: "button" },
      icon("fa-solid fa-folder warn"),
      make("span", { class: "file-name" }, entry.name),
      icon("fa-solid fa-chevron-right dim"),
    );
    button.append(make("span", { class: "file-facts" }, entry.problem ?? ""));
    button.disabled = Boolean(entry.problem);
    button.addEventListener("click", () => show(entry.path));
    return make("li", { "data-name": entry.name.toLowerCase() }, button);
  }

  function fileItem(file) {
    const button = make(
      "button",
      { type: "button" },
      icon("fa-regular fa-file-video dim"),
      make("span", { class: "file-name" }, file.name),
      make("span"),
    );
    button.append(make("span", { class: "file-facts" }, describeFile(file)));
    button.disabled = Boolean(file.problem);
    button.addEventListener("click", () => {
      modal.hide();
      chosen(file.path);
    });
    const details = make(
      "a",
      {
        href: `/media_info/${file.path.split("/").map(encodeURIComponent).join("/")}`,
        title: "Details and pre-flight",
      },
      icon("fa-solid fa-circle-info"),
      spoken(`Details of ${file.name}`),
    );
    return make("li", { "data-name": file.name.toLowerCase() }, button, details);
  }

  filter.addEventListener("input", () => {
    const words = filter.value.trim().toLowerCase();
    for (const item of list.children) item.hidden = !item.dataset.name.includes(words);
  });

  dialog.addEventListener("keydown", (event) => {
    if (!["ArrowDown", "ArrowUp"].includes(event.key)) return;
    event.preventDefault();
    const buttons = [...list.querySelectorAll("li:not([hidden]) button:not(:disabled)")];
    const now = buttons.indexOf(document.activeElement);
    const next = event.key === "ArrowDown" ? now + 1 : now - 1;
    if (next < 0) filter.focus();
    else buttons[Math.min(next, buttons.length - 1)]?.focus();
  });

  return {
    /** Open the folder that a path lies in. */
    open(path) {
      openDialog(dialog);
      show(path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "");
    },
  };
}
