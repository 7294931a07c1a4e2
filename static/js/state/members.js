/** The members of the open room and what may be done about them, over REST. */

import { isolated } from "../lib/text.js";
import { rest } from "../net/rest.js";
import { effect, signal } from "../vendor/preact.js";
import { counts, tryJoin } from "./membership.js";
import { dropRoom, patchRoom, view } from "./rooms.js";
import { activeId, paneOpen, say } from "./view.js";

const PAGE = 100;

/** {room, results, next, failed} of the room whose details are open, or null. */
export const members = signal(null);

/** Reads the members from the start. */
export async function loadMembers(id) {
  try {
    const page = await rest("GET", `rooms/${id}/members`, { query: { limit: PAGE } });
    if (id === activeId.value) members.value = { room: id, results: page.results, next: page.next ?? null };
    if (!page.next) counts.value = { ...counts.value, [id]: page.results.length };
  } catch {
    members.value = { room: id, results: [], next: null, failed: true };
  }
}

export async function moreMembers() {
  const { room, results, next } = members.value;
  const page = await rest("GET", `rooms/${room}/members`, { query: { cursor: next, limit: PAGE } });
  members.value = { room, results: [...results, ...page.results], next: page.next ?? null };
}

// Open details follow the room's events of members.
let seen = 0;
effect(() => {
  const id = activeId.value;
  if (!paneOpen.value || id === null) return;
  const { notices } = view(id).value;
  const last = notices.findLast(({ kind }) => kind.startsWith("member."))?.seq ?? 0;
  if (members.peek()?.room !== id || last > seen) loadMembers(id);
  seen = last;
});

export async function leave(room) {
  await rest("DELETE", `rooms/${room.id}/members/me`);
  if (room.kind === "private") {
    dropRoom(room.id);
    location.assign("/");
    return;
  }
  patchRoom(room.id, { role: null, unread: 0 });
  say(`You left ${isolated(room.name)}`, { act: { label: "Undo", run: () => tryJoin(room) } });
  loadMembers(room.id);
}

/** Adds a person by their name. Throws a Refusal. */
export async function addMember(room, displayName) {
  await rest("POST", `rooms/${room.id}/members`, { body: { display_name: displayName } });
  await loadMembers(room.id);
}

export async function changeRole(room, user, role) {
  await rest("PATCH", `rooms/${room.id}/members/${user.id}`, { body: { role } });
  await loadMembers(room.id);
}

/** Changes the room's settings. Throws a Refusal. */
export async function changeRoom(room, fields) {
  const changed = await rest("PATCH", `rooms/${room.id}`, { body: fields });
  patchRoom(room.id, changed);
}

