// The passphrase field: count its bytes, show it, generate one. It leaves the page only with the form.
import { byId, setText } from "./dom.js";

// No letters that are easily confused over the phone; 20 of 31 letters carry 99 bits.
const LETTERS = "abcdefghjkmnpqrstuvwxyz23456789";
const LENGTH = 20;
const BYTES = [10, 79];

/** A random passphrase in groups of five, to be read aloud. */
export function generate() {
  const letters = [];
  const limit = 256 - (256 % LETTERS.length);
  while (letters.length < LENGTH) {
    const [byte] = crypto.getRandomValues(new Uint8Array(1));
    if (byte < limit) letters.push(LETTERS[byte % LETTERS.length]);
  }
  return letters.join("").replace(/(.{5})(?=.)/g, "$1-");
}

const WITHOUT = {
  listener: "Without it, anyone who reaches the port can receive",
  caller: "Without it, the stream is not encrypted on the network",
  receive: "Without it, the stream is not encrypted on the network",
};

/** Set up the form's passphrase field. */
export function bindPassphrase(mode) {
  const field = byId("passphrase");
  const bits = byId("key_bits");
  const eye = byId("reveal-passphrase");

  function refresh() {
    const isOff = bits.value === "0";
    field.disabled = isOff;
    eye.disabled = isOff;
    const size = new TextEncoder().encode(field.value).length;
    const isWrong = size > 0 && (size < BYTES[0] || size > BYTES[1]);
    setText(
      byId("passphrase-hint"),
      isOff ? WITHOUT[mode()] : `10 to 79 bytes, the same at both ends${size ? `; ${size} now` : ""}`,
    );
    byId("passphrase-hint").classList.toggle("warn", isWrong && !isOff);
  }

  function reveal(isShown) {
    field.type = isShown ? "text" : "password";
    eye.setAttribute("aria-pressed", String(isShown));
    eye.firstChild.className = isShown ? "fa-solid fa-eye-slash" : "fa-solid fa-eye";
    eye.title = isShown ? "Hide" : "Show";
  }

  eye.addEventListener("click", () => reveal(field.type === "password"));
  bits.addEventListener("change", refresh);
  field.addEventListener("input", refresh);
  byId("generate-passphrase").addEventListener("click", () => {
    if (bits.value === "0") bits.value = "256";
    field.value = generate();
    refresh();
    reveal(true);
  });
  return { refresh };
}
