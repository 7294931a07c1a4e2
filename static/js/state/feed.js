/** Keeps every room of the list on the socket: opens, heals gaps, reloads after a resync. */

import { isolated } from "../lib/text.js";
import { rest } from "../net/rest.js";
import { batch } from "../vendor/preact.js";
import { client } from "./connection.js";
import { me } from "./me.js";
import { stopTyping } from "./typing.js";
import { activeId, bars, say } from "./view.js";
import { dropRoom, patchRoom, putSnapshot, rooms, take, view } from "./rooms.js";
import { refresh } from "./standing.js";

export const PAGE = 50;
const RETRY_MS = 2_000;
const loading = new Map();

let isFirst = true;

client.on("hello", ({ user }) => {
  me.value = user;
  if (!isFirst) reloadList();
  isFirst = false;
  const ids = [...rooms.value.keys()];
  ids.sort((a, b) => (b === activeId.value) - (a === activeId.value));
  for (const id of ids) follow(id);
});

// No frame tells of a room someone was added to: the list is asked for again when the page is looked at.
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && !isFirst) reloadList();
});

client.on("event", (event) => {
  if (event.kind === "message.posted") stopTyping(event.room, event.actor);
  if (event.kind.startsWith("member.") && event.data.user?.id === me.value?.id) refresh(event.room);
});
client.on("read", ({ room, seq }) => readElsewhere(room, seq));

/** Keeps a room on the socket from where its state stands. */
export function follow(id) {
  return client.follow(id, {
    at: () => view(id).value,
    apply: take,
    startAt({ head, epoch }) {
      const current = view(id);
      current.value = { ...current.value, seq: Math.max(current.value.seq, head), epoch };
    },
    reload: () => load(id),
    lose: (code) => lose(id, code),
  });
}

/** A snapshot in place of all loaded pages, around a seq or the newest, then on from its seq. */
export async function reload(id, { around = null } = {}) {
  try {
    await load(id, around);
  } catch (refusal) {
    if (refusal.isGone) lose(id, refusal.code);
    else setTimeout(() => reload(id, { around }).catch(() => null), RETRY_MS);
    throw refusal;
  }
  await follow(id);
}

function load(id, around = null) {
  const known = loading.get(id);
  if (known && known.around === around) return known.done;
  const done = snapshot(id, around).finally(() => loading.delete(id));
  loading.set(id, { around, done });
  return done;
}

async function snapshot(id, around) {
  const query = around === null ? { limit: PAGE } : { limit: PAGE, around };
  const page = await rest("GET", `rooms/${id}/messages`, { query });
  putSnapshot(id, page, { atEnd: around === null, atStart: around === null && page.results.length < PAGE });
}

/** The room is not ours any more. Whoever is barred is told why, here and by a notice. */
function lose(id, code) {
  client.unfollow(id);
  const room = rooms.value.get(id);
  if (!room) return;
  if (code === "banned") {
    bars.value = { ...bars.value, [id]: { name: room.name, kind: "ban", reason: "", ends_at: null, ...bars.value[id] } };
    import("./barred.js").then(({ learnWhy }) => learnWhy(id), () => null);
  }
  dropRoom(id);
  if (activeId.value !== id && code !== "banned") say(`${isolated(room.name)} is not open to you any more`);
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
