/** Going from room to room without a new page: addresses, title, focus. */

import { batch } from "../vendor/preact.js";
import { loadRoom, goTo } from "./history.js";
import { boot, isPhone } from "./me.js";
import { active, rooms, view } from "./rooms.js";
import { flushRead, startReading } from "./read.js";
import { about, activeId, atEnd, focusBox, hot, menu, paneOpen, showing, target } from "./view.js";

const hasKeyboard = matchMedia("(pointer: fine)");

export function roomPath(room) {
  return `/rooms/${room.slug}/`;
}

/** Opens a room of the list. `push` puts it into the browser's history. */
export function openRoom(room, { push = true, seq = null } = {}) {
  if (push) history.pushState(null, "", seq ? `${roomPath(room)}?m=${seq}` : roomPath(room));
  if (activeId.value !== room.id) enter(room, seq);
  else if (seq) goTo(seq);
  showing.value = "room";
  if (hasKeyboard.matches) setTimeout(focusBox);
}

function enter(room, seq) {
  flushRead();
  batch(() => {
    activeId.value = room.id;
    about.value = null;
    menu.value = null;
    hot.value = null;
    target.value = seq;
    atEnd.value = seq === null;
    if (isPhone.value) paneOpen.value = false;
  });
  startReading(room.id);
  if (!view(room.id).value.loaded || seq) loadRoom(room.id, { around: seq });
}

/** On a phone: back to the list. */
export function showList() {
  history.pushState(null, "", "/");
  showing.value = "list";
}

addEventListener("popstate", () => {
  const match = /^\/rooms\/([^/]+)\/$/.exec(location.pathname);
  if (!match) {
    showing.value = "list";
    return;
  }
  const room = [...rooms.value.values()].find(({ slug }) => slug === decodeURIComponent(match[1]));
  const seq = Number(new URLSearchParams(location.search).get("m")) || null;
  if (room) openRoom(room, { push: false, seq });
  else location.reload();
});

/** The room `step` places further in the list, `unread` ones only where asked. */
export function neighbour(step, { unread = false } = {}) {
  const list = [...rooms.value.values()];
  const start = list.findIndex((room) => room.id === activeId.value);
  for (let count = 1; count <= list.length; count += 1) {
    const room = list[(start + step * count + list.length * count) % list.length];
    if (!unread || room.unread > 0) return room === active.value ? null : room;
  }
  return null;
}

if (boot.room) startReading(boot.room.id);
