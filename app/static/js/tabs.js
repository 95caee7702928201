// Tabs: one is selected, by click or arrow key.

/** The tab to choose after a key: the neighbour, wrapping at the ends; null for any other key. */
export function neighbour(tabs, tab, key) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
  return step ? tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length] : null;
}

/** Set up the tabs; `chosen` gets the selected tab. */
export function bindTabs(tabs, chosen) {
  const choose = (tab) => {
    for (const other of tabs) showChosen(other, other === tab);
    chosen(tab);
  };
  for (const tab of tabs) {
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", (event) => {
      const next = neighbour(tabs, tab, event.key);
      if (!next) return;
      event.preventDefault();
      choose(next);
      next.focus();
    });
  }
}

function showChosen(tab, isChosen) {
  tab.classList.toggle("active", isChosen);
  tab.setAttribute("aria-selected", String(isChosen));
  tab.tabIndex = isChosen ? 0 : -1;
}
