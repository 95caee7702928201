// The page About: versions that a child process reports shortly after the start of the server.
import { ApiError, ask, pollOverview } from "./app.js";
import { byId, icon, make } from "./dom.js";
import { UNKNOWN } from "./format.js";

const AGAIN_MS = 1000;

async function fill() {
  let about = null;
  try {
    about = await ask("GET", "/api/about");
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
  if (!about?.are_versions_known) {
    setTimeout(fill, AGAIN_MS);
    return;
  }
  byId("libraries").tBodies[0].replaceChildren(...about.libraries.map(rowOf));
  byId("libraries").dataset.known = "true";
  byId("library-warnings").replaceChildren(
    ...about.warnings.map((text) => make("div", { class: "note fault" }, icon("fa-solid fa-shield-halved"), " ", text)),
  );
}

function rowOf({ name, version, remark }) {
  return make(
    "tr",
    {},
    make("th", { scope: "row" }, name),
    make("td", { class: "num" }, version ?? UNKNOWN),
    make("td", {}, remark ?? ""),
  );
}

if (byId("libraries").dataset.known !== "true") fill();
pollOverview();
