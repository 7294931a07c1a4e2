/** The rooms, with what is unread in each, and who you are at the foot. */

import { countLabel, plain } from "../lib/text.js";
import { link } from "../state/connection.js";
import { drafts, draftOf } from "../state/drafts.js";
import { boot, isPhone, me, times, urls } from "../state/me.js";
import { openRoom, roomPath } from "../state/navigate.js";
import { rooms, shownUnread } from "../state/rooms.js";
import { activeId, showing } from "../state/view.js";
import { html, signal, useRef } from "../vendor/preact.js";
import { Bead, Icon, join, RoomSign, Tile } from "./parts.js";
import { signInUrl } from "./composer.js";
import { MeMenu } from "./me-menu.js";

/** What is looked for in the names of rooms; null while nothing is. */
export const wanted = signal(null);

export function RoomList() {
  const heading = isPhone.value && showing.value === "list" ? "h1" : "p";
  return html`<nav class="rooms" aria-label="Rooms">
    <div class="rooms__head">
      <svg class="icon rooms__mark" aria-hidden="true"><use href="#i-mark" /></svg><${heading} class="rooms__site">${boot.site_name ?? "Chat"}<//>
      ${mayCreate() && html`<a class="icon-button" href=${urls.new_room} aria-label="Start a room"><${Icon} name="plus" /></a>`}
    </div>
    <${Find} />
    <${Groups} />
    <${Me} />
  </nav>`;
}

const mayCreate = () => boot.may_create_room ?? Boolean(me.value && !me.value.is_guest);

function Find() {
  const onKeyDown = (event) => {
    if (event.key === "Escape") {
      wanted.value = null;
      event.target.value = "";
      event.target.blur();
    } else if (event.key === "Enter" && shownRooms()[0]) {
      wanted.value = null;
      event.target.value = "";
      openRoom(shownRooms()[0]);
    } else if (event.key === "ArrowDown") document.querySelector(".room-item")?.focus();
  };
  return html`<label class="rooms__find">
    <${Icon} name="search" extra="icon--small" /><span class="hush">Find a room</span>
    <input class="rooms__find-field" id="find-room" type="search" placeholder="Find a room" autocomplete="off" onInput=${(event) => (wanted.value = event.target.value)} onKeyDown=${onKeyDown} />
    <span class="key" aria-hidden="true">Ctrl K</span>
  </label>`;
}

function shownRooms() {
  const words = (wanted.value ?? "").trim().toLocaleLowerCase();
  return [...rooms.value.values()].filter((room) => room.name.toLocaleLowerCase().includes(words));
}

function Groups() {
  const box = useRef(null);
  const shown = shownRooms();
  const mine = shown.filter((room) => room.role);
  const open = shown.filter((room) => !room.role);
  const onKeyDown = (event) => {
    const items = [...box.current.querySelectorAll(".room-item")];
    const at = items.indexOf(event.target);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    items[Math.max(0, Math.min(items.length - 1, to))].focus();
    event.preventDefault();
  };
  return html`<div class="rooms__scroll" ref=${box} onKeyDown=${onKeyDown}>
    ${mine.length > 0 && html`<h2 class="rooms__group">Your rooms</h2><ul>${mine.map((room) => html`<${Item} key=${room.id} room=${room} />`)}</ul>`}
    ${open.length > 0 && html`<h2 class="rooms__group">Open rooms</h2><ul>${open.map((room) => html`<${Item} key=${room.id} room=${room} />`)}</ul>`}
    ${shown.length === 0 && html`<p class="rooms__none">${wanted.value ? `No room has “${wanted.value}” in its name` : "No room is open to you yet"}</p>`}
  </div>`;
}

function Item({ room }) {
  const isOpen = room.id === activeId.value;
  const unread = shownUnread(room);
  const draft = !isOpen && (drafts.value[room.id] ?? draftOf(room.id));
  const last = draft ? `Draft: ${plain(draft)}` : room.preview && html`<bdi>${room.preview.author}</bdi>: ${plain(room.preview.text)}`;
  const open = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    openRoom(room);
  };
  return html`<li><a class=${join("room-item", unread > 0 && "room-item--unread", isOpen && "room-item--open")} href=${roomPath(room)} aria-current=${isOpen ? "page" : null} onClick=${open}>
    <${Tile} room=${room} extra="room-item__tile" />
    <span class="room-item__name"><span class="room-item__label" dir="auto">${room.name}</span><${RoomSign} room=${room} />${draft && html`<${Icon} name="edit" extra="icon--small" />`}</span>
    <span class="room-item__when">${room.preview && times.when(room.preview.at)}</span>
    <span class="room-item__last" dir="auto">${last}</span>
    ${unread > 0 && html`<span class="room-item__count count"><span class="hush">unread: </span>${countLabel(unread)}</span>`}
  </a></li>`;
}

function Me() {
  const user = me.value;
  if (!user) {
    return html`<div class="rooms__me"><${Bead} user=${null} extra="avatar--sm" />
      <div class="rooms__me-text"><p class="rooms__me-name">Visitor</p><p class="rooms__me-state">No name yet</p></div>
      <a class="button button--plain button--small" href=${signInUrl()}>Sign in</a></div>`;
  }
  const isReady = link.value.phase === "ready";
  const state = isReady ? "Connected" : { connecting: "Connecting", waiting: "Offline", stopped: "Offline" }[link.value.phase];
  return html`<div class="rooms__me"><${Bead} user=${user} extra="avatar--sm">${isReady && html`<span class="avatar__online"></span>`}<//>
    <div class="rooms__me-text"><p class="rooms__me-name" dir="auto">${user.display_name}</p><p class="rooms__me-state">${state}</p></div>
    <${MeMenu} /></div>`;
}
