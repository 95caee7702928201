// The page with the form of one stream, new or edited: on success, to the stream's own page.
import { pollOverview } from "./app.js";
import { bindStreamForm } from "./stream_form.js";

pollOverview();
bindStreamForm((view) => location.assign(`/stream/${encodeURIComponent(view.key)}`));
