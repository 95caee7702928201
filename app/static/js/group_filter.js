// The selection of a group above the table of streams. It is shown if a stream has a group.
import { byId, make, setText } from "./dom.js";

const ALL = "";

/** Set up the selection; `changed` is called after another group was chosen. */
export function bindGroupFilter(changed) {
  const select = byId("group-filter");
  let shown = null;

  function showButtons() {
    setText(byId("start-all"), select.value ? "Start group" : "Start all");
    setText(byId("stop-all"), select.value ? "Stop group" : "Stop all");
  }

  select.addEventListener("change", () => {
    showButtons();
    changed();
  });

  return {
    /** The chosen group, empty for all streams. */
    chosen: () => select.value,

    /** Offer the groups that the streams have now, keeping the choice while it is among them. */
    show(streams) {
      const groups = [...new Set(streams.map((stream) => stream.group).filter(Boolean))].sort();
      const names = JSON.stringify(groups);
      if (names === shown) return;
      shown = names;
      const chosen = select.value;
      select.replaceChildren(
        make("option", { value: ALL }, "All groups"),
        ...groups.map((name) => make("option", { value: name }, name)),
      );
      select.value = groups.includes(chosen) ? chosen : ALL;
      select.classList.toggle("d-none", !groups.length);
      showButtons();
    },
  };
}
