// Presets and the address book in the form of a stream: load, save, and fill in a far end.
import { bindAddressBook } from "./address_book.js";
import { ApiError, ask, openDialog, announce } from "./app.js";
import { byId, make, setText } from "./dom.js";

/** Set up both; `showProblem` puts faults next to the form's fields, `farPort` is the far end's port. */
export function bindPresets(form, showProblem, farPort) {
  byId("load-preset")?.addEventListener("change", ({ target }) => {
    if (!target.value) return;
    location.assign(`${location.pathname}?preset=${encodeURIComponent(target.value)}`);
  });
  bindSave(form, showProblem);
  bindAddressBook(form, farPort);
}

function bindSave(form, showProblem) {
  const name = byId("preset-name");
  let dialog = null;

  async function save(event) {
    event.preventDefault();
    try {
      const preset = await ask("POST", "/presets", { data: presetOf(form, name.value) });
      dialog.hide();
      showProblem("", {});
      addOption(preset);
      announce(`Saved as preset: ${preset.name}`);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const fault = error.fields.preset_name;
      if (fault) return showNameFault(fault, error.code === "name_taken");
      dialog.hide();
      showProblem(error.message, error.fields);
    }
  }

  byId("save-preset").addEventListener("click", () => {
    if (!name.value) name.value = form.elements.name.value;
    showNameFault("", false);
    dialog = openDialog(byId("preset-dialog"));
  });
  byId("preset-dialog").addEventListener("shown.bs.modal", () => name.focus());
  name.addEventListener("input", () => showNameFault("", false));
  byId("preset-form").addEventListener("submit", save);
}

/** The form as a preset of this name. A preset has no passphrase, so the page does not send one. */
function presetOf(form, name) {
  const data = new URLSearchParams(new FormData(form));
  data.delete("passphrase");
  data.set("preset_name", name);
  if ("replaces" in byId("preset-yes").dataset) data.set("replace", "1");
  return data.toString();
}

/** Show what is wrong with the preset's name; with `canReplace`, the button replaces the preset of that name. */
function showNameFault(text, canReplace) {
  const fault = byId("preset-name-fault");
  setText(fault, text);
  fault.classList.toggle("d-block", Boolean(text));
  byId("preset-name").classList.toggle("is-invalid", Boolean(text));
  byId("preset-yes").toggleAttribute("data-replaces", canReplace);
  setText(byId("preset-yes"), canReplace ? "Replace it" : "Save");
}

function addOption({ key, name }) {
  const select = byId("load-preset");
  if (!select || [...select.options].some((option) => option.value === key)) return;
  select.disabled = false;
  setText(select.options[0], "Load preset");
  select.append(make("option", { value: key }, name));
}
