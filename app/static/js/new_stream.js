// The dialog of a new stream, for listeners and callers. A button, two keys and some addresses open it.
import { onKey, openDialog } from "./app.js";
import { byId } from "./dom.js";
import { bindStreamForm } from "./stream_form.js";

const DASHBOARD = "/";

/** Set up the dialog; `started` gets the new stream's view. Returns the form. */
export function bindNewStream(started) {
  const dialog = byId("new-stream");
  const isAskedFor = "opens" in dialog.dataset || location.hash === `#${dialog.id}`;
  // Open before the form is bound: a hidden field cannot have the focus.
  let modal = isAskedFor ? openDialog(dialog) : null;
  const form = bindStreamForm((view) => {
    modal.hide();
    form.forgetName();
    started(view);
  });
  if (isAskedFor && !byId("stream-form").contains(document.activeElement)) form.focus();

  function open(mode) {
    modal = openDialog(dialog);
    if (mode) form.choose(mode);
    form.focus();
  }

  byId("open-new-stream").addEventListener("click", (event) => {
    event.preventDefault();
    open();
  });
  onKey("n", "new listener", () => open("listener"));
  onKey("c", "new caller", () => open("caller"));
  dialog.addEventListener("hidden.bs.modal", showDashboardAddress);
  return form;
}

/** Closing the dialog leaves the dashboard. When it is loaded again, it must not open the dialog. */
function showDashboardAddress() {
  history.replaceState(null, "", DASHBOARD);
  for (const link of document.querySelectorAll(".topbar nav a")) {
    if (link.getAttribute("href") === DASHBOARD) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}
