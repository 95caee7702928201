// My link and own profiles: make them from a measurement, save, remove and import them.
import { ApiError, announce, ask } from "./app.js";
import { byId, make } from "./dom.js";
import { impairment, showFaults, useProfiles } from "./impairment_form.js";

const OWN = "/api/impairment-profiles/own";
const profile = byId("profile");
let own = new Set();
let measured = [];
let kept = [];

/** Load the profiles, and offer the own ones after those of the product. */
export async function loadProfiles() {
  const answer = await ask("GET", "/api/impairment-profiles");
  kept = answer.profiles;
  own = new Set(answer.own);
  offer();
}

function offer() {
  const all = [...kept, ...measured];
  const chosen = profile.value;
  for (const option of profile.querySelectorAll("[data-made]")) option.remove();
  for (const each of all) {
    if (!own.has(each.name) && !measured.includes(each)) continue;
    profile.append(make("option", { value: each.name, "data-made": "", "data-citation": each.citation }, each.title));
  }
  profile.value = all.some(({ name }) => name === chosen) ? chosen : "";
  useProfiles(all);
}

/** Run an action, and show in the form why it failed. */
async function attempt(act) {
  showFaults({}, "");
  try {
    await act();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    showFaults(error.fields, error.message);
  }
}

function choose(name) {
  profile.value = name;
  profile.dispatchEvent(new Event("change"));
}

async function importFrom(file) {
  let document = null;
  try {
    document = JSON.parse(await file.text());
  } catch {
    showFaults({}, `${file.name} is not JSON.`);
    return;
  }
  const { profiles } = await ask("POST", OWN, { json: document });
  await loadProfiles();
  announce(`${profiles.length} profiles imported`);
}

profile.addEventListener("change", () => {
  byId("own-remove").disabled = !own.has(profile.value);
});

byId("measured").addEventListener("change", ({ target }) =>
  attempt(async () => {
    if (!target.value) return;
    measured = (await ask("GET", `/api/impairment-profiles/measured?${target.value}`)).profiles;
    offer();
    choose(measured[0].name);
  }),
);

byId("own-keep").addEventListener("click", () =>
  attempt(async () => {
    const { to_target, to_caller } = impairment();
    const name = byId("own-name").value.trim();
    const made = { name, title: name, citation: byId("own-source").value, to_target, to_caller };
    await ask("POST", OWN, { json: { profiles: [made] } });
    await loadProfiles();
    choose(name);
    announce(`${name} is kept`);
  }),
);

byId("own-remove").addEventListener("click", () =>
  attempt(async () => {
    const name = profile.value;
    await ask("DELETE", `${OWN}/${encodeURIComponent(name)}`);
    await loadProfiles();
    announce(`${name} is removed`);
  }),
);

byId("own-file").addEventListener("change", ({ target }) =>
  attempt(async () => {
    const [file] = target.files;
    if (file) await importFrom(file);
    target.value = "";
  }),
);
