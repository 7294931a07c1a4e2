/** In the bar, for moderators: how much waits for them, and the way to it. */

import { deskOpen, paneOpen, waiting } from "../state/view.js";
import { html } from "../vendor/preact.js";
import { Icon } from "./parts.js";

export default function Waiting({ room }) {
  const { held = 0, reports = 0, isMore = false } = waiting.value[room.id] ?? {};
  if (!held && !reports) return null;
  const total = `${held + reports}${isMore ? "+" : ""}`;
  const words = inWords({ held, reports, total });
  const isOpen = paneOpen.value && deskOpen.value;
  const toggle = () => {
    paneOpen.value = !isOpen;
    deskOpen.value = !isOpen;
  };
  return html`<button class="room__waiting" type="button" aria-label=${`${words}. Look at what waits`} aria-expanded=${isOpen ? "true" : "false"} onClick=${toggle}>
    <${Icon} name=${held ? "wait" : "flag"} extra="icon--small" /><span class="room__waiting-words" aria-hidden="true">${words}</span><span class="room__waiting-count num" aria-hidden="true">${total}</span>
  </button>`;
}

function inWords({ held, reports, total }) {
  if (held && reports) return `${total} wait`;
  if (held) return held === 1 ? "1 message waits" : `${total} messages wait`;
  return reports === 1 ? "1 report waits" : `${total} reports wait`;
}
