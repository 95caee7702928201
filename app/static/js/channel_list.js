// The list of multicast channels in the stream form. A chosen channel fills in the fields below the list.
import { ApiError, ask } from "./app.js";
import { byId, make } from "./dom.js";

let isLoaded = false;

/** Load the channels once and show them; without channels, the list stays hidden. */
export async function offerChannels(form) {
  if (isLoaded) return;
  isLoaded = true;
  const channels = await readChannels();
  if (!channels.length) return;
  const select = byId("channel");
  select.append(
    ...channels.map((channel, index) =>
      make("option", { value: index }, `${channel.name} · ${channel.address}:${channel.port}`),
    ),
  );
  byId("channels-box").classList.remove("d-none");
  select.addEventListener("change", () => {
    const channel = channels[select.value];
    if (channel) fillFields(form, channel);
  });
}

async function readChannels() {
  try {
    const { channels } = await ask("GET", "/api/channels");
    return channels ?? [];
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return [];
  }
}

function fillFields(form, channel) {
  form.elements.address.value = channel.address;
  form.elements.group_port.value = channel.port;
  form.elements.protocol.value = channel.protocol ?? "udp";
  form.elements.source_ip.value = channel.source_ip ?? "";
  if (!form.elements.name.value) form.elements.name.value = channel.name;
}
