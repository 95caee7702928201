// The machine, in the strip over the dashboard.
import { byId, icon, make, setFigure, setText } from "./dom.js";
import { UNKNOWN, duration, mbps, percent } from "./format.js";

const gigabytes = (megabytes) => (megabytes / 1000).toFixed(megabytes < 10_000 ? 1 : 0);

/** Show what the dashboard's answer says about the machine. */
export function showSystem(system) {
  setFigure(byId("on-air"), String(system.streams_on_air), `of ${system.streams_max}`);
  setFigure(byId("sending"), mbps(system.sending_mbps), "Mb/s");
  setFigure(
    byId("cpu"),
    percent(system.cpu_percent),
    `% of ${system.cpu_count} ${system.cpu_count === 1 ? "core" : "cores"}`,
  );
  setFigure(byId("memory"), gigabytes(system.memory_used_mb), `of ${gigabytes(system.memory_total_mb)} GB`);
  setFigure(byId("disk"), percent(system.disk_used_percent), `% full`);
  byId("cpu-meter").value = system.cpu_percent;
  byId("memory-meter").value = (100 * system.memory_used_mb) / system.memory_total_mb;
  byId("disk-meter").value = system.disk_used_percent;
  setLines(byId("addresses"), system.addresses.slice(0, 2), system.addresses.join("\n"));
  setLines(byId("uptime"), [duration(system.uptime_s), system.user]);
  setLines(byId("versions"), [system.gstreamer_version ?? UNKNOWN, system.libsrt_version ?? UNKNOWN]);
  showWarnings(system);
}

function setLines(node, lines, title = "") {
  const text = lines.join("\n");
  if (node.dataset.shown === text) return;
  node.dataset.shown = text;
  if (title) node.title = title;
  node.replaceChildren(
    ...(lines.length ? lines : [UNKNOWN]).map((line, number) => make("div", number ? { class: "dim" } : {}, line)),
  );
}

function showWarnings({ warnings, missing }) {
  const box = byId("warnings");
  const texts = [
    ...warnings.map((text) => ["fault", "fa-solid fa-shield-halved", text]),
    ...missing.map((text) => ["attention", "fa-solid fa-circle-info", text]),
  ];
  const shown = JSON.stringify(texts);
  if (box.dataset.shown === shown) return;
  box.dataset.shown = shown;
  box.replaceChildren(
    ...texts.map(([kind, name, text]) => make("div", { class: `note ${kind}` }, icon(name), " ", text)),
  );
}

/** The number of streams that fit the filter, of how many. */
export function showCount(node, shown, all) {
  setText(node, shown === all ? String(all) : `${shown} of ${all}`);
}
