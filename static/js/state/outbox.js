/** The reader's messages on their way, as bubbles: from the moment of writing until the log has them. */

import { createOutbox, webStore } from "../chat-client/index.js";
import { signal } from "../vendor/preact.js";
import { client } from "./connection.js";
import { boot, me, ownKey } from "./me.js";
import { patchRoom, rooms, view } from "./rooms.js";
import { refresh } from "./standing.js";

/** The outbox's items, and those the server has: "sent", "held" for a moderator, "rejected" for a `reason`. */
export const echoes = signal(heldEchoes(boot.held ?? []));
/** When the author may write next in a room with slow mode, by room id. */
export const slowUntil = signal({});

const isSettled = ({ state }) => state !== "pending" && state !== "failed";

const outbox = createOutbox(client, {
  store: webStore(() => ownKey("outbox")),
  maySend: () => Boolean(me.value),
  onChange(items) {
    const settled = echoes.value.filter(isSettled);
    echoes.value = [...settled, ...items].sort((a, b) => a.order - b.order);
  },
  onSent: settle,
  onRefused({ room }, { code, retryAfter }) {
    if (code === "muted") refresh(room);
    if (code === "slow_mode" && retryAfter) pause(room, retryAfter);
  },
});

export const { post, reread } = outbox;
export const sendAgain = ({ client_id }) => outbox.sendAgain(client_id);

export function discard({ client_id }) {
  echoes.value = echoes.value.filter((item) => item.client_id !== client_id);
  outbox.discard(client_id);
}

/** The server's own, as bubbles. */
export function heldEchoes(held) {
  return held.map((message) => ({ ...message, at: message.created_at, order: Date.parse(message.created_at), state: "held" }));
}

function settle(item, { held, message, seq, created_at }) {
  alter(item.client_id, held ? { state: "held" } : { state: "sent", id: message, seq, at: created_at ?? item.at });
  if (held) return;
  const room = rooms.value.get(item.room);
  if (room && !room.role) patchRoom(item.room, { role: "member" });
  if (room?.slow_mode && !["owner", "moderator"].includes(room.role)) pause(item.room, room.slow_mode);
}

function pause(room, seconds) {
  slowUntil.value = { ...slowUntil.value, [room]: Date.now() + seconds * 1000 };
}

export function alter(clientId, fields) {
  echoes.value = echoes.value.map((item) => (item.client_id === clientId ? { ...item, ...fields } : item));
}

/** Messages that are in the log now: their echo goes. */
export function dropPosted(room) {
  const { seq, entries } = view(room).peek();
  const posted = new Set(entries.map(({ message }) => message.client_id));
  const isThere = (item) => item.room === room && ((item.state === "sent" && item.seq <= seq) || posted.has(item.client_id));
  if (echoes.peek().some(isThere)) echoes.value = echoes.peek().filter((item) => !isThere(item));
}
