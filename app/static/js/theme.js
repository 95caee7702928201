// Chooses the theme before the page is drawn. Dark unless this browser chose light.
(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem("theme");
  } catch {
    // A browser that forbids storage gets the default.
  }
  document.documentElement.dataset.bsTheme = chosen === "light" ? "light" : "dark";
})();
