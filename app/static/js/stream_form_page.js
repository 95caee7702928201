// The page with the form of one stream, new or edited: on success, go to the stream's page.
import { pollOverview } from "./app.js";
import { bindStreamForm } from "./stream_form.js";

pollOverview();
bindStreamForm((view) => location.assign(`/stream/${encodeURIComponent(view.key)}`));
