/** What has been read, and where reading stopped. `room.read` goes at most every 5 s and on leaving. */

import { effect, signal } from "../vendor/preact.js";
import { messagesOf } from "../lib/reduce.js";
import { request } from "./connection.js";
import { me } from "./me.js";
import { patchRoom, rooms, view } from "./rooms.js";
import { activeId, atEnd, roomIsSeen } from "./view.js";

const SEEN_MS = 2_500;
const REPORT_MS = 5_000;

/** {seq, at}: everything after `seq` is new since `at` (null: unknown). It stays until the room is left. */
export const marker = signal(null);

let seenTimer = null;
let reportTimer = null;
let lastReport = 0;
const owed = new Map();

/** The room is entered: what is unread now is new. */
export function startReading(id) {
  const room = rooms.value.get(id);
  marker.value = room && room.unread > 0 && me.value ? { seq: room.read, at: timeOf(id, room.read) } : null;
}

function timeOf(id, seq) {
  const before = messagesOf(view(id).value).filter((message) => message.seq <= seq);
  return before.length ? before[before.length - 1].created_at : null;
}

// The reader looks away with everything read: what comes from now on is new since then.
let away = null;
effect(() => {
  const id = activeId.value;
  const room = id === null ? null : rooms.value.get(id);
  if (roomIsSeen.value || !room) away = null;
  else if (room.unread === 0) away ??= { id, seq: view(id).peek().seq, at: new Date().toISOString() };
  else if (away?.id === id) {
    marker.value = { seq: away.seq, at: away.at };
    away = null;
  }
});

// At the end and in sight for a moment: read.
effect(() => {
  const id = activeId.value;
  const room = id === null ? null : rooms.value.get(id);
  const { seq, atEnd: isWhole, loaded } = id === null ? {} : view(id).value;
  const reads = room && loaded && isWhole && atEnd.value && roomIsSeen.value && (room.unread > 0 || room.read < seq);
  clearTimeout(seenTimer);
  if (reads) seenTimer = setTimeout(() => markRead(id), room.unread > 0 ? SEEN_MS : 0);
});

/** Everything that has arrived in the room is read. */
export function markRead(id) {
  const room = rooms.value.get(id);
  if (!room) return;
  const { seq } = view(id).value;
  if (seq <= room.read && room.unread === 0) return;
  patchRoom(id, { read: seq, unread: 0 });
  if (!me.value || !room.role) return;
  owed.set(id, seq);
  reportTimer ??= setTimeout(flushRead, Math.max(0, lastReport + REPORT_MS - Date.now()));
}

/** Tells the server now. */
export function flushRead() {
  clearTimeout(reportTimer);
  reportTimer = null;
  for (const [room, seq] of owed) {
    lastReport = Date.now();
    owed.delete(room);
    request("room.read", { room, seq }).catch((refusal) => refusal.retry && owed.set(room, Math.max(seq, owed.get(room) ?? 0)));
  }
}

addEventListener("pagehide", flushRead);
