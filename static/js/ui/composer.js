/** The foot of the line: your own bead, and the box, the name card or the reason why neither. */

import { reasonGiven } from "../lib/text.js";
import { isOnline, link } from "../state/connection.js";
import { unsigned } from "../state/guest.js";
import { me, times, urls } from "../state/me.js";
import { active } from "../state/rooms.js";
import { html, useEffect } from "../vendor/preact.js";
import { Box } from "./box.js";
import { NameCard } from "./later.js";
import { Bead, Icon, join } from "./parts.js";

const LEADS = ["owner", "moderator"];

export function Composer() {
  const room = active.value;
  const user = me.value;
  useEffect(() => {
    if (!user) NameCard.load();
  }, []);
  const bead = html`<${Bead} user=${user} extra="composer__avatar" />`;
  const why = closedBecause(room, user);
  if (why) return html`<div class="composer">${bead}<${Closed} ...${why} /><div class="composer__note"></div></div>`;
  if (!user && unsigned.value?.room === room.id) {
    return html`<div class="composer">${bead}<${NameCard} /><div class="composer__note"></div></div>`;
  }
  const isOff = !isOnline.value || link.value.phase !== "ready";
  return html`<form class=${join("composer", isOff && !isOnline.value && "composer--offline")} onSubmit=${(event) => event.preventDefault()}>
    ${bead}<${Box} key=${room.id} room=${room} isReadFirst=${isReadFirst(room)} />
  </form>`;
}

/** Why writing is not possible, and one way on; null when it is. chat_composer.py says the same. */
function closedBecause(room, user) {
  if (room.archived_at) {
    return { icon: "lock", text: `This room is closed since ${times.date(room.archived_at)}. You can still read it.` };
  }
  if (room.restriction) {
    const { reason, ends_at: end } = room.restriction;
    const lead = end ? `You cannot write until ${times.since(end)}.` : "You cannot write here.";
    return { icon: "clock", text: `${lead} ${reasonGiven(reason)}`, role: "alert" };
  }
  if (room.kind === "announcement" && !LEADS.includes(room.role)) {
    return { icon: "news", text: "Only moderators write in this room." };
  }
  const needsAccount = room.kind !== "private" && (!user || user.is_guest) && !["write", "approval"].includes(room.guest_policy);
  if (needsAccount) {
    return { icon: "people", text: "Sign in to write here.", act: { label: "Sign in", href: signInUrl() } };
  }
  return null;
}

export function signInUrl() {
  return `${urls.sign_in}?next=${encodeURIComponent(location.pathname)}`;
}

/** Whether what the reader writes waits for a moderator, by the room's rule. */
function isReadFirst(room) {
  return room.guest_policy === "approval" && (!me.value || me.value.is_guest) && !LEADS.includes(room.role);
}

function Closed({ icon, text, role = null, act = null }) {
  return html`<div class="composer__closed" id="write" tabindex="-1" role=${role}>
    <${Icon} name=${icon} /><span class="composer__closed-text">${text}</span>
    ${act && html`<a class="button button--primary button--small" href=${act.href}>${act.label}</a>`}
  </div>`;
}
