// The configuration file: compare it with the streams, then apply exactly what was compared.
import { ApiError, ask, confirm, pollOverview } from "./app.js";
import { byId, make, setText } from "./dom.js";

const FILE_BYTES_MAX = 900_000;
let compared = null;

pollOverview();

byId("file").addEventListener("change", async (event) => {
  const [file] = event.target.files;
  if (!file) return;
  if (file.size > FILE_BYTES_MAX) {
    showProblems(`${file.name} is longer than ${FILE_BYTES_MAX / 1000} kB`, []);
    return;
  }
  byId("document").value = await file.text();
  forget();
});

for (const id of ["document", "prune"]) byId(id).addEventListener("input", forget);

byId("configuration").addEventListener("submit", async (event) => {
  event.preventDefault();
  const order = { document: byId("document").value, prune: byId("prune").checked };
  const answer = await send({ ...order, dry_run: true });
  if (!answer) return;
  compared = order;
  byId("apply").disabled = !answer.is_changing;
});

byId("apply").addEventListener("click", async () => {
  const order = compared;
  if (!order) return;
  const isSure = await confirm({
    title: "Apply the file?",
    text: `${byId("result").dataset.summary} A stream that changes is interrupted.`,
    yes: "Apply",
  });
  if (!isSure) return;
  forget();
  await send({ ...order, dry_run: false });
});

/** Forget the comparison: the form has other contents now. */
function forget() {
  compared = null;
  byId("apply").disabled = true;
}

async function send(order) {
  try {
    const answer = await ask("POST", "/api/configuration", { json: order });
    show(answer);
    return answer;
  } catch (error) {
    const fields = error instanceof ApiError ? Object.entries(error.fields ?? {}) : [];
    showProblems(error.message, fields);
    return null;
  }
}

function show(answer) {
  setText(byId("result-title"), answer.is_applied ? "Applied" : "Comparison");
  setText(byId("plan"), answer.text);
  byId("result").dataset.summary = answer.summary;
  const refused = answer.steps.filter((step) => step.problem);
  byId("problems").replaceChildren(
    ...refused.map((step) => make("li", { class: "bad" }, `${step.label} is unchanged: ${step.problem}`)),
  );
  byId("result").hidden = false;
}

function showProblems(message, fields) {
  forget();
  setText(byId("result-title"), "Not applied");
  setText(byId("plan"), message);
  byId("problems").replaceChildren(...fields.map(([where, text]) => make("li", { class: "bad" }, `${where}: ${text}`)));
  byId("result").hidden = false;
}
