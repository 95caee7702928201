// The line below latency and overhead: the bandwidth and the outage that they cover, as the server computes them.
import { ApiError, ask } from "./app.js";
import { setText } from "./dom.js";

const PAUSE_MS = 150;

/** Show the latest answer in a node; nothing while the fields are not valid. */
export class LinkBudget {
  constructor(node) {
    this.node = node;
    this.latest = null;
    this.timer = null;
  }

  /** Ask for these settings once typing pauses; `bitrateBps` is null while the bitrate is not known. */
  show({ latencyMs, overheadPercent, bitrateBps }) {
    const query = new URLSearchParams({ latency_ms: latencyMs, overhead_percent: overheadPercent });
    if (bitrateBps) query.set("bitrate_bps", bitrateBps);
    if (query.toString() === this.latest) return;
    this.latest = query.toString();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.askFor(this.latest), PAUSE_MS);
  }

  async askFor(query) {
    let text = "";
    try {
      ({ text } = await ask("GET", `/api/link-budget?${query}`));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
    if (query === this.latest) setText(this.node, text);
  }
}
