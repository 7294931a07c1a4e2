/** The foot of the line: your own bead, and the box, the name card or the reason why neither. */

import { isOnline, link } from "../state/connection.js";
import { unsigned } from "../state/guest.js";
import { me, times, urls } from "../state/me.js";
import { join as joinRoom } from "../state/members.js";
import { active } from "../state/rooms.js";
import { say } from "../state/view.js";
import { html } from "../vendor/preact.js";
import { Box } from "./box.js";
import { NameCard } from "./name-card.js";
import { Bead, Icon, join } from "./parts.js";

export function Composer() {
  const room = active.value;
  const user = me.value;
  const bead = html`<${Bead} user=${user} extra="composer__avatar" />`;
  const why = closedBecause(room, user);
  if (why) return html`<div class="composer">${bead}<${Closed} ...${why} /><div class="composer__note"></div></div>`;
  if (!user && unsigned.value?.room === room.id) {
    return html`<div class="composer">${bead}<${NameCard} /><div class="composer__note"></div></div>`;
  }
  const isOff = !isOnline.value || link.value.phase !== "ready";
  return html`<form class=${join("composer", isOff && !isOnline.value && "composer--offline")} onSubmit=${(event) => event.preventDefault()}>
    ${bead}<${Box} key=${room.id} room=${room} />
  </form>`;
}

/** Why writing is not possible, with at most one way on; null when it is. */
function closedBecause(room, user) {
  if (room.archived_at) {
    return { icon: "lock", text: `This room is closed since ${times.date(room.archived_at)}. You can still read it.` };
  }
  const needsAccount = room.kind === "public" && room.guest_policy !== "write" && (!user || user.is_guest);
  if (needsAccount) {
    return { icon: "people", text: "Sign in to write here.", act: { label: "Sign in", href: signInUrl() } };
  }
  return null;
}

export function signInUrl() {
  return `${urls.sign_in}?next=${encodeURIComponent(location.pathname)}`;
}

function Closed({ icon, text, act = null }) {
  return html`<div class="composer__closed">
    <${Icon} name=${icon} /><span class="composer__closed-text">${text}</span>
    ${act && html`<a class="button button--primary button--small" href=${act.href}>${act.label}</a>`}
  </div>`;
}

/** Joins the room, or says why not. */
export async function tryJoin(room) {
  try {
    await joinRoom(room);
  } catch (refusal) {
    say(refusal.message, { icon: "alert" });
  }
}
