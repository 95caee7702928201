// The colours of the theme in a chart.

/** The value of a CSS variable of the page. */
export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Set the colours of the theme in a chart's scales and tooltip. */
export function paintFrame({ options }) {
  for (const [name, scale] of Object.entries(options.scales)) {
    scale.ticks.color = colour("--dim");
    scale.title.color = colour("--dim");
    if (name === "y") scale.grid = { color: colour("--grid") };
  }
  Object.assign(options.plugins.tooltip, {
    backgroundColor: colour("--panel-3"),
    titleColor: colour("--bs-body-color"),
    bodyColor: colour("--bs-body-color"),
    borderColor: colour("--edge"),
    borderWidth: 1,
  });
}
