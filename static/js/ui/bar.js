/** The room's bar: where you are, who is there, the way to the details. */

import { isPhone, me } from "../state/me.js";
import { memberCount, tryJoin } from "../state/membership.js";
import { showList } from "../state/navigate.js";
import { active, may, view } from "../state/rooms.js";
import { activeId, deskOpen, paneOpen, showing } from "../state/view.js";
import { html } from "../vendor/preact.js";
import { Waiting } from "./later.js";
import { Bead, Icon, IconButton, RoomSign, Tile } from "./parts.js";

export function Bar() {
  const room = active.value;
  const heading = isPhone.value && showing.value === "list" ? "h2" : "h1";
  const back = (event) => {
    event.preventDefault();
    showList();
  };
  const isShown = paneOpen.value && !deskOpen.value;
  const toggle = () => {
    paneOpen.value = !isShown;
    deskOpen.value = false;
  };
  return html`<div class="room__bar">
    <a class="icon-button room__back" href="/" aria-label="All rooms" onClick=${back}><${Icon} name="back" extra="icon--turns" /></a>
    <${Tile} room=${room} />
    <div class="room__names">
      <${heading} class="room__name"><span class="room__label" dir="auto">${room.name}</span><${RoomSign} room=${room} /><//>
      <p class="room__topic" dir="auto">${room.topic}</p>
    </div>
    <div class="room__tools">
      ${may(room, "moderate") && html`<${Waiting} room=${room} />`}
      ${me.value && !room.role && !room.archived_at && html`<button class="button button--plain button--small" type="button" onClick=${() => tryJoin(room)}>Join</button>`}
      <${Here} toggle=${toggle} />
      <${IconButton} icon="info" label="About this room" extra=${isShown ? "icon-button--on" : ""} aria-expanded=${isShown ? "true" : "false"} onClick=${toggle} />
    </div>
  </div>`;
}

/** The beads of those who wrote last, and how many members there are. */
function Here({ toggle }) {
  const people = new Map();
  for (const { message } of view(activeId.value).value.entries.toReversed()) {
    if (people.size < 3) people.set(message.author.id, message.author);
  }
  const count = memberCount.value;
  if (!people.size && count === null) return null;
  return html`<button class="room__here" type="button" onClick=${toggle}>
    <span class="avatar-row" aria-hidden="true">${[...people.values()].map((user) => html`<${Bead} key=${user.id} user=${user} extra="avatar--sm" />`)}</span>
    ${count !== null && count.toLocaleString(document.documentElement.lang)}<span class="hush"> members, show them</span>
  </button>`;
}
