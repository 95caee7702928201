// The far-end card: the settings for the far end, as text and as a QR code. The passphrase is fetched only on request.
import { ApiError, ask, copyText, announce } from "./app.js";
import { byId, make, setText } from "./dom.js";
import { drawQr } from "./qr_code.js";
import { addressesOf, cards, describe, qrText } from "./receivers.js";
import { bindTabs } from "./tabs.js";

/** Set up the card; its `show` takes the stream's view. `cardsOf` makes the texts, by default for receivers. */
export function bindFarEnd(key, cardsOf = cards) {
  const card = new FarEnd(key, cardsOf);
  card.bind();
  return card;
}

class FarEnd {
  constructor(key, cardsOf) {
    this.key = key;
    this.cardsOf = cardsOf;
    this.address = byId("address");
    this.tabs = [...document.querySelectorAll("[data-card]")];
    [this.chosen] = this.tabs;
    this.farEnd = null;
    this.passphrase = null;
  }

  bind() {
    this.offerAddresses();
    bindTabs(this.tabs, (tab) => {
      this.chosen = tab;
      this.refresh();
    });
    byId("reveal-secret").addEventListener("click", () => this.toggleSecret());
    byId("show-qr").addEventListener("click", () => this.toggleQr());
    byId("copy-card").addEventListener("click", () => copyText(byId("card-text")));
    this.address.addEventListener("input", () => this.refresh());
  }

  show(stream) {
    const isNew = JSON.stringify(stream.far_end) !== JSON.stringify(this.farEnd);
    this.farEnd = stream.far_end;
    if (!isNew) return;
    byId("address-box").hidden = !this.farEnd.calls_us;
    byId("reveal-secret").hidden = this.farEnd.key_bits === null;
    this.refresh();
  }

  refresh() {
    if (!this.farEnd) return;
    const end = describe(this.farEnd, this.address.value.trim() || location.hostname, this.passphrase);
    setText(byId("card-text"), this.cardsOf(end)[this.chosen.dataset.card]);
    byId("card-text").setAttribute("aria-labelledby", this.chosen.id);
    if (!byId("qr").classList.contains("is-shown")) return;
    drawQr(byId("qr-canvas"), qrText(end));
    const isMasked = this.farEnd.key_bits !== null && this.passphrase === null;
    setText(byId("qr-words"), isMasked ? "The code has no passphrase; show the passphrase to include it." : "");
  }

  offerAddresses() {
    const known = byId("stream").dataset.addresses.split(" ").filter(Boolean);
    const offered = addressesOf(location.hostname, known);
    [this.address.value] = offered;
    byId("addresses").append(...offered.map((value) => make("option", { value })));
  }

  async toggleSecret() {
    const button = byId("reveal-secret");
    try {
      this.passphrase = this.passphrase === null ? await this.fetchSecret() : null;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      announce(error.message);
    }
    button.setAttribute("aria-pressed", String(this.passphrase !== null));
    button.firstElementChild.className = this.passphrase === null ? "fa-solid fa-eye" : "fa-solid fa-eye-slash";
    this.refresh();
  }

  async fetchSecret() {
    const { passphrase } = await ask("POST", `/api/streams/${encodeURIComponent(this.key)}/passphrase`);
    return passphrase;
  }

  toggleQr() {
    const isShown = byId("qr").classList.toggle("is-shown");
    byId("show-qr").setAttribute("aria-pressed", String(isShown));
    this.refresh();
  }
}
