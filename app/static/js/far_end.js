// The far-end card: what to type at the receiver, as text and as a QR code. The passphrase is fetched only when asked.
import { ApiError, ask, copyText, announce } from "./app.js";
import { byId, make, setText } from "./dom.js";
import { cards, describe, qrText } from "./receivers.js";

const QUIET_MODULES = 4;
const MODULE_PIXELS = 5;

/** Bring the card to life; `show` takes the stream's view. `cardsOf` makes the texts, of receivers if not said. */
export function bindFarEnd(key, cardsOf = cards) {
  const tabs = [...document.querySelectorAll("[data-card]")];
  const address = byId("address");
  const revealButton = byId("reveal-secret");
  const qrButton = byId("show-qr");
  let farEnd = null;
  let passphrase = null;
  let chosen = tabs[0];

  fillAddresses();

  function refresh() {
    if (!farEnd) return;
    const end = describe(farEnd, address.value.trim() || location.hostname, passphrase);
    setText(byId("card-text"), cardsOf(end)[chosen.dataset.card]);
    byId("card-text").setAttribute("aria-labelledby", chosen.id);
    if (!byId("qr").classList.contains("is-shown")) return;
    drawQr(byId("qr-canvas"), qrText(end));
    const isMasked = farEnd.key_bits !== null && passphrase === null;
    setText(byId("qr-words"), isMasked ? "Without the passphrase; show it to have it in the code." : "");
  }

  function choose(tab) {
    chosen = tab;
    for (const other of tabs) {
      const isChosen = other === tab;
      other.classList.toggle("active", isChosen);
      other.setAttribute("aria-selected", String(isChosen));
      other.tabIndex = isChosen ? 0 : -1;
    }
    refresh();
  }

  for (const tab of tabs) {
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
      choose(next);
      next.focus();
    });
  }

  revealButton.addEventListener("click", async () => {
    try {
      passphrase =
        passphrase === null
          ? (await ask("POST", `/api/streams/${encodeURIComponent(key)}/passphrase`)).passphrase
          : null;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      announce(error.message);
    }
    revealButton.setAttribute("aria-pressed", String(passphrase !== null));
    revealButton.firstElementChild.className = passphrase === null ? "fa-solid fa-eye" : "fa-solid fa-eye-slash";
    refresh();
  });

  qrButton.addEventListener("click", () => {
    const isShown = byId("qr").classList.toggle("is-shown");
    qrButton.setAttribute("aria-pressed", String(isShown));
    refresh();
  });

  byId("copy-card").addEventListener("click", () => copyText(byId("card-text")));
  address.addEventListener("input", refresh);

  return {
    show(stream) {
      const isNew = JSON.stringify(stream.far_end) !== JSON.stringify(farEnd);
      farEnd = stream.far_end;
      if (!isNew) return;
      byId("address-box").hidden = !farEnd.calls_us;
      revealButton.hidden = farEnd.key_bits === null;
      refresh();
    },
  };
}

/** Offer the host's addresses; the one the page was opened with first, if others can use it. */
function fillAddresses() {
  const known = byId("stream").dataset.addresses.split(" ").filter(Boolean);
  const isLocal = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
  const offered = [
    ...new Set([...(isLocal ? [] : [location.hostname]), ...known, ...(isLocal ? [location.hostname] : [])]),
  ];
  byId("address").value = offered[0];
  byId("addresses").append(...offered.map((value) => make("option", { value })));
}

function drawQr(canvas, text) {
  const code = window.qrcode(0, "M");
  code.addData(text, "Byte");
  code.make();
  const modules = code.getModuleCount();
  const size = (modules + 2 * QUIET_MODULES) * MODULE_PIXELS;
  canvas.width = size;
  canvas.height = size;
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, size, size);
  pen.fillStyle = "#000";
  for (let row = 0; row < modules; row += 1) {
    for (let column = 0; column < modules; column += 1) {
      if (code.isDark(row, column))
        pen.fillRect(
          (column + QUIET_MODULES) * MODULE_PIXELS,
          (row + QUIET_MODULES) * MODULE_PIXELS,
          MODULE_PIXELS,
          MODULE_PIXELS,
        );
    }
  }
}
