/** Keeps every room of the list on the socket: opens, heals gaps, reloads after a resync. */

import { rest } from "../net/rest.js";
import { batch } from "../vendor/preact.js";
import { onFrame, onHello, request } from "./connection.js";
import { me } from "./me.js";
import { stopTyping } from "./typing.js";
import { activeId, bars, say } from "./view.js";
import { dropRoom, patchRoom, putSnapshot, rooms, take, view } from "./rooms.js";
import { refresh } from "./standing.js";

export const PAGE = 50;
const RETRY_MS = 2_000;
const GONE = new Set(["not_found", "forbidden", "banned"]);
const opening = new Set();
const reloading = new Map();

let isFirst = true;

onHello(({ user }) => {
  me.value = user;
  if (!isFirst) reloadList();
  isFirst = false;
  opening.clear();
  const ids = [...rooms.value.keys()];
  ids.sort((a, b) => (b === activeId.value) - (a === activeId.value));
  for (const id of ids) follow(id);
});

// No frame tells of a room someone was added to: the list is asked for again when the page is looked at.
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && !isFirst) reloadList();
});

onFrame("event", (event) => {
  if (take(event) === "gap") follow(event.room);
  if (event.kind === "message.posted") stopTyping(event.room, event.actor);
  if (event.kind.startsWith("member.") && event.data.user?.id === me.value?.id) refresh(event.room);
});
onFrame("heads", ({ rooms: heads }) => {
  for (const [key, seq] of Object.entries(heads)) {
    const id = Number(key);
    if (rooms.value.has(id) && view(id).value.seq < seq) follow(id);
  }
});
onFrame("resync", ({ room }) => reload(room));
onFrame("room.closed", ({ room, code }) => lose(room, code));
onFrame("read", ({ room, seq }) => readElsewhere(room, seq));

/** Opens a room on the socket from where its state stands. At most once at a time a room. */
export async function follow(id) {
  if (opening.has(id)) return;
  opening.add(id);
  const { seq, epoch } = view(id).value;
  try {
    const answer = await request("room.open", epoch ? { room: id, after: seq, epoch } : { room: id });
    opening.delete(id);
    if (answer.resync) await reload(id);
    else if (!epoch) startAt(id, answer);
  } catch (refusal) {
    opening.delete(id);
    if (GONE.has(refusal.code)) lose(id, refusal.code);
    else if (refusal.retryAfter !== null || refusal.message !== "no connection") {
      setTimeout(() => follow(id), refusal.retryAfter ? refusal.retryAfter * 1000 : RETRY_MS);
    }
  }
}

function startAt(id, { head, epoch }) {
  const current = view(id);
  if (current.value.seq < head) current.value = { ...current.value, seq: head, epoch };
  else current.value = { ...current.value, epoch };
}

/** A snapshot in place of all loaded pages, then on from its seq. `around` is a seq, else the newest page. */
export function reload(id, { around = null } = {}) {
  const known = reloading.get(id);
  if (known && known.around === around) return known.done;
  const done = snapshot(id, around).finally(() => reloading.delete(id));
  reloading.set(id, { around, done });
  return done;
}

async function snapshot(id, around) {
  const query = around === null ? { limit: PAGE } : { limit: PAGE, around };
  let page;
  try {
    page = await rest("GET", `rooms/${id}/messages`, { query });
  } catch (refusal) {
    if (GONE.has(refusal.code)) lose(id, refusal.code);
    else setTimeout(() => reload(id, { around }), RETRY_MS);
    throw refusal;
  }
  putSnapshot(id, page, { atEnd: around === null, atStart: around === null && page.results.length < PAGE });
  // What came between the snapshot and now has to come once more, and after a resync nothing follows by itself.
  await follow(id);
}

/** The room is not ours any more. Whoever is barred is told why, here and by a notice. */
function lose(id, code) {
  const room = rooms.value.get(id);
  if (!room) return;
  if (code === "banned") {
    bars.value = { ...bars.value, [id]: { name: room.name, kind: "ban", reason: "", ends_at: null, ...bars.value[id] } };
    import("./barred.js").then(({ learnWhy }) => learnWhy(id), () => null);
  }
  dropRoom(id);
  if (activeId.value !== id && code !== "banned") say(`${room.name} is not open to you any more`);
}

async function readElsewhere(id, seq) {
  const room = rooms.value.get(id);
  if (!room || seq <= room.read) return;
  batch(() => patchRoom(id, { read: seq, unread: seq >= room.head ? 0 : room.unread }));
  if (seq < room.head) {
    const fresh = await rest("GET", `rooms/${id}`).catch(() => null);
    if (fresh) patchRoom(id, { unread: fresh.unread, read: fresh.read });
  }
}

/** Reads the list again, for a new session: other rooms, other rights. */
export async function reloadList() {
  const answer = await rest("GET", "rooms").catch(() => null);
  if (!answer) return;
  for (const room of answer.results) {
    const isNew = !rooms.value.has(room.id);
    patchRoom(room.id, room);
    if (isNew && room.id === activeId.value) reload(room.id).catch(() => null);
    else if (isNew) follow(room.id);
  }
}
