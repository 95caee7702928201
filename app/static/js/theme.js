// Chooses the theme before the page is drawn: dark unless the user chose light, or chose to follow the system.
(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem("theme");
  } catch {
    // A browser that forbids storage gets the default.
  }
  const system = matchMedia("(prefers-color-scheme: light)");
  const isLight = chosen === "light" || (chosen === "system" && system.matches);
  document.documentElement.dataset.bsTheme = isLight ? "light" : "dark";
})();
