// What an order interrupts, in words: the far ends of a send stream are receivers, of a receive stream senders.
const NAMES = { send: "receiver", receive: "sender", relay: "caller" };

/** The name of one far end of streams with these directions. */
function nameOf(directions) {
  const [first, ...others] = new Set(directions);
  return others.length ? "far end" : (NAMES[first] ?? "far end");
}

const farEnds = (number, directions) => `${number} ${nameOf(directions)}${number === 1 ? "" : "s"}`;

/** What a stop of streams with these directions does to their connected far ends. */
export function stopWords(number, ...directions) {
  return number ? `${farEnds(number, directions)} will be disconnected.` : `No ${nameOf(directions)} is connected.`;
}

/** What a restart does to the connected far ends. */
export function restartWords(number, ...directions) {
  const verb = number === 1 ? "has" : "have";
  return `${farEnds(number, directions)} will be disconnected and ${verb} to reconnect.`;
}
