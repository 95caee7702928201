// The address book in the form of a caller: a far end fills in its host, port and stream ID.
import { byId, setText } from "./dom.js";

/** Set up the address book if it has far ends; `port` is the form's field for the far end's port. */
export function bindAddressBook(form, port) {
  byId("far_end")?.addEventListener("change", ({ target }) => {
    const { host, streamId, notes, port: number } = target.selectedOptions[0].dataset;
    setText(byId("far_end-hint"), notes ?? "");
    if (!target.value) return;
    form.elements.host.value = host;
    port.value = number;
    const field = form.elements.stream_id;
    field.value = streamId;
    const folded = field.closest("details");
    if (streamId && folded) folded.open = true;
  });
}
