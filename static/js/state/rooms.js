/** The rooms of the list, what is unread in each, and the reducer state of those that are followed. */

import { applyEvent, fromSnapshot, unloaded } from "../lib/reduce.js";
import { plain } from "../lib/text.js";
import { batch, computed, signal } from "../vendor/preact.js";

import { boot, me } from "./me.js";
import { activeId, atEnd, roomIsSeen } from "./view.js";

const MAX_UNREAD = 100;

/** Room payloads by id, in the order of the list. */
export const rooms = signal(new Map(withBoot().map((room) => [room.id, room])));
const views = new Map();

function withBoot() {
  const list = boot.rooms ?? [];
  return boot.room && !list.some((room) => room.id === boot.room.id) ? [boot.room, ...list] : list;
}

for (const room of rooms.value.values()) views.set(room.id, signal(unloaded(room.id, room.head, boot.epoch)));
if (boot.room && boot.messages) {
  const page = { results: boot.messages, seq: boot.seq, epoch: boot.epoch };
  view(boot.room.id).value = fromSnapshot(boot.room.id, page, {
    atStart: boot.at_start ?? (boot.focus_seq == null && boot.messages.length < 50),
    atEnd: boot.at_end ?? boot.focus_seq == null,
    room: boot.room,
  });
}

/** The signal of a room's reducer state. */
export function view(id) {
  if (!views.has(id)) views.set(id, signal(unloaded(id)));
  return views.get(id);
}

export const active = computed(() => (activeId.value === null ? null : rooms.value.get(activeId.value) ?? null));

/** How many unread messages a room's count shows: none while its end is being looked at. */
export function shownUnread(room) {
  return room.id === activeId.value && atEnd.value && roomIsSeen.value ? 0 : room.unread ?? 0;
}

/** Of all rooms together, for the title. */
export const unreadTotal = computed(() => [...rooms.value.values()].reduce((sum, room) => sum + shownUnread(room), 0));

/** Whether the reader has one of "write", "moderate", "sanction" and "manage" in a room. */
export function may(room, right) {
  return Boolean(room?.rights?.includes(right));
}

/** Changes some fields of a room of the list; adds the room where it is new. */
export function patchRoom(id, fields) {
  const next = new Map(rooms.value);
  next.set(id, { ...(next.get(id) ?? { unread: 0, read: 0, role: null, rights: [], preview: null }), ...fields });
  rooms.value = next;
}

/** Takes a room out of the list. Its state stays, so that what was open can say that it is gone. */
export function dropRoom(id) {
  const next = new Map(rooms.value);
  next.delete(id);
  rooms.value = next;
  views.delete(id);
}

/** Applies one event to its room: the reducer's state and the room's line in the list. */
export function take(event) {
  const current = view(event.room);
  const { state, outcome } = applyEvent(current.value, event);
  if (outcome === "applied") {
    batch(() => {
      current.value = state;
      noteInList(event);
    });
  }
  return outcome;
}

/** A fresh snapshot in place of all that was loaded. `page.room` is the room for the caller. */
export function putSnapshot(id, page, bounds) {
  batch(() => {
    if (page.room) patchRoom(id, keepPreview(page.room));
    view(id).value = fromSnapshot(id, page, { ...bounds, room: rooms.value.get(id) ?? null });
  });
}

function keepPreview({ preview, ...room }) {
  return preview ? { ...room, preview } : room;
}

function noteInList({ room: id, kind, at, data, seq }) {
  const room = rooms.value.get(id);
  if (!room) return;
  if (kind === "message.posted" || kind === "message.approved") {
    const { author, body, created_at } = data.message;
    const own = me.value?.id === author.id;
    patchRoom(id, {
      head: seq,
      role: own ? room.role ?? "member" : room.role,
      unread: own ? room.unread : Math.min(MAX_UNREAD, room.unread + 1),
      preview: data.message.deleted_at ? room.preview : { author: author.display_name, text: plain(body), at: created_at },
    });
  } else if (kind === "message.deleted" || kind === "message.restored") {
    const { message } = data;
    const counts = message.seq > room.read && message.author.id !== me.value?.id && room.unread < MAX_UNREAD;
    const step = kind === "message.deleted" ? -1 : 1;
    const unread = counts ? Math.max(0, room.unread + step) : room.unread;
    const isShown = room.preview?.at === message.created_at;
    const text = message.deleted_at ? "Deleted message" : plain(message.body);
    patchRoom(id, { head: seq, unread, preview: isShown ? { ...room.preview, text } : room.preview });
  } else if (kind === "message.edited" && room.preview?.at === data.message.created_at) {
    patchRoom(id, { head: seq, preview: { ...room.preview, text: plain(data.message.body) } });
  } else if (kind.startsWith("room.")) {
    patchRoom(id, { ...data.room, head: seq });
  } else if (kind.startsWith("member.") && data.user?.id === me.value?.id) {
    patchRoom(id, { head: seq, role: kind === "member.left" ? null : data.role ?? room.role });
  }
}
