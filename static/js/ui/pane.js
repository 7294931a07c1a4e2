/** The details of the open room: what it is, who belongs to it, and for owners its settings. */

import { GUESTS } from "../lib/notices.js";
import { isPhone, me } from "../state/me.js";
import { leave, members, moreMembers } from "../state/members.js";
import { tryJoin } from "../state/membership.js";
import { active, may } from "../state/rooms.js";
import { deskOpen, dialog, paneOpen, say } from "../state/view.js";
import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { Desk } from "./desk-pane.js";
import { AddPerson, Person } from "./person.js";
import { Icon, IconButton } from "./parts.js";
import { Settings } from "./settings.js";

export default function Pane() {
  const room = active.value;
  const title = useRef(null);
  const [isSetting, setSetting] = useState(false);
  const isDesk = deskOpen.value && may(room, "moderate");
  useEffect(() => title.current.focus(), [isSetting, isDesk]);
  const isBack = isSetting && !isDesk;
  const close = () => (isBack ? setSetting(false) : (paneOpen.value = false));
  const heading = isPhone.value ? "h1" : "h2";
  const onKeyDown = (event) => event.key === "Escape" && close();
  return html`<div class="app__pane" role=${isPhone.value ? "main" : "complementary"} aria-label="Details" onKeyDown=${onKeyDown}><div class="pane">
    <div class="pane__bar"><${heading} class="pane__title" tabindex="-1" ref=${title}>${isDesk ? "What waits" : isSetting ? "Room settings" : "About this room"}<//>
      <${IconButton} icon=${isBack ? "back" : "close"} turns=${isBack} label=${isBack ? "Back to the details" : "Close details"} onClick=${close} /></div>
    <div class="pane__scroll" tabindex="0" role="group" aria-label=${`About ${room.name}`}>
      ${isDesk
        ? html`<${Desk} room=${room} />`
        : isSetting
        ? html`<${Settings} room=${room} done=${() => setSetting(false)} />`
        : html`<${AboutRoom} room=${room} /><${People} room=${room} /><${Ways} room=${room} change=${may(room, "manage") ? () => setSetting(true) : null} />`}
    </div>
  </div></div>`;
}

function AboutRoom({ room }) {
  return html`<section class="pane__section">
    ${room.topic && html`<p class="pane__about" dir="auto">${room.topic}</p>`}
    <dl class="pane__facts">
      <dt>Open to</dt><dd>${room.kind === "private" ? "its members" : "everyone"}</dd>
      ${room.kind === "announcement" && html`<dt>Writing</dt><dd>moderators only</dd>`}
      ${room.kind !== "private" && html`<dt>Guests</dt><dd>${GUESTS[room.guest_policy]}</dd>`}
      <dt>Slow mode</dt><dd class="num">${room.slow_mode ? `one message every ${room.slow_mode} s` : "off"}</dd>
    </dl>
  </section>`;
}

function People({ room }) {
  const known = members.value?.room === room.id ? members.value : null;
  if (!known) return html`<section class="pane__section"><span class="bone bone--mid"></span><span class="bone bone--short"></span></section>`;
  if (known.failed) return html`<section class="pane__section"><p class="pane__about">The members did not arrive.</p></section>`;
  const leads = known.results.filter(({ role }) => role !== "member");
  const others = known.results.filter(({ role }) => role === "member");
  const mayAdd = may(room, "moderate");
  return html`
    <${Group} title="Moderators" list=${leads} room=${room} />
    <${Group} title="Members" list=${others} room=${room} more=${known.next}>${mayAdd && html`<${AddPerson} room=${room} />`}<//>`;
}

function Group({ title, list, room, more = null, children = null }) {
  if (!list.length && !children) return null;
  const heading = isPhone.value ? "h2" : "h3";
  return html`<section class="pane__section pane__section--tight members">
    <${heading} class="pane__heading">${title} <span class="num">${list.length}${more ? "+" : ""}</span><//>
    <ul>${list.map((member) => html`<${Person} key=${member.user.id} member=${member} />`)}</ul>
    ${more && html`<button class="rooms__more" type="button" onClick=${moreMembers}><span class="rooms__more-icon"><${Icon} name="people" /></span>More members</button>`}
    ${children}
  </section>`;
}

/** Joining, leaving, changing. */
function Ways({ room, change }) {
  const quit = () => leave(room).catch((refusal) => say(refusal.message, { icon: "alert" }));
  const way = (icon, text, run) => html`<button class="rooms__more" type="button" onClick=${run}><span class="rooms__more-icon"><${Icon} name=${icon} /></span>${text}</button>`;
  const mine = me.value;
  return html`<section class="pane__section pane__section--tight">
    ${change && way("sliders", "Room settings", change)}
    ${mine && !room.role && !room.archived_at && way("plus", "Join this room", () => tryJoin(room))}
    ${way("flag", "Report this room", () => (dialog.value = { kind: "report", room }))}
    ${room.role && way("leave", "Leave this room", quit)}
  </section>`;
}
