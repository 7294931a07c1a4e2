/** Messages on their way. They survive a reload, belong to one person, and go out one at a time a room.
 *
 * Each lies in localStorage under its own key, so that tabs do not overwrite one another; a Web Lock a room
 * lets one tab send at a time. The same `client_id` on every try: the server keeps the first.
 */

import { reconnectDelay } from "../lib/backoff.js";
import { uuid } from "../lib/uuid.js";
import { signal } from "../vendor/preact.js";
import { onHello, request } from "./connection.js";
import { me, ownKey } from "./me.js";
import { patchRoom, rooms, view } from "./rooms.js";
import { refresh } from "./standing.js";

/** {client_id, room, body, reply_to, at, order, state, code?, html?, reason?}, oldest first. `state` is "pending",
 * "sent" or "failed"; "held" while it waits for a moderator and "rejected" when it was not let in. */
export const echoes = signal([]);
/** When the author may write next in a room with slow mode, by room id. */
export const slowUntil = signal({});

const sending = new Set();
const tries = new Map();
const timers = new Map();

/** Puts a message on its way. */
export function post(room, { body, reply_to = null }) {
  const item = { client_id: uuid(), room, body, reply_to, at: new Date().toISOString(), order: Date.now(), state: "pending" };
  keep(item);
  echoes.value = [...echoes.value, item];
  flush(room);
}

export function sendAgain(item) {
  change(item.client_id, { state: "pending", code: null });
  flush(item.room);
}

export function discard(item) {
  forget(item.client_id);
  echoes.value = echoes.value.filter((other) => other.client_id !== item.client_id);
}

/** What lies in storage for the present person, with what this tab already knows of it. */
export function reread() {
  const prefix = ownKey("outbox");
  const known = new Map(echoes.value.map((item) => [item.client_id, item]));
  const stored = Object.keys(localStorage)
    .filter((key) => key.startsWith(prefix))
    .map((key) => JSON.parse(localStorage.getItem(key)));
  const sent = echoes.value.filter(({ state }) => state !== "pending" && state !== "failed");
  const ids = new Set(sent.map((item) => item.client_id));
  const rest = stored.filter((item) => !ids.has(item.client_id)).map((item) => ({ ...known.get(item.client_id), ...item }));
  echoes.value = [...sent, ...rest].sort((a, b) => a.order - b.order);
}

/** Sends what waits in a room, in order, until nothing waits or something has to wait longer. */
export async function flush(room) {
  if (sending.has(room) || !me.value) return;
  sending.add(room);
  clearTimeout(timers.get(room));
  let isDone = false;
  try {
    const lock = navigator.locks ?? { request: (_, work) => work() };
    isDone = await lock.request(ownKey("outbox", room), () => drain(room));
  } finally {
    sending.delete(room);
  }
  // Written while the lock was being let go.
  if (isDone && echoes.value.some((item) => item.room === room && item.state === "pending")) flush(room);
}

/** Whether nothing of the room waits any more. */
async function drain(room) {
  reread();
  for (;;) {
    const item = echoes.value.find((other) => other.room === room && other.state === "pending");
    if (!item) return true;
    try {
      const { client_id, body, reply_to } = item;
      settle(item, await request("message.post", { room, client_id, body, reply_to }));
    } catch (refusal) {
      if (refusal.code === "unauthenticated") return false;
      if (refusal.code === "muted") refresh(room);
      if (refusal.retry) {
        wait(room, refusal);
        return false;
      }
      change(item.client_id, { state: "failed", code: refusal.code });
    }
  }
}

function settle(item, { held, message, seq, created_at }) {
  tries.delete(item.room);
  forget(item.client_id);
  const fate = held ? { state: "held" } : { state: "sent", id: message, seq, at: created_at ?? item.at };
  alter(item.client_id, fate);
  if (held) return;
  const room = rooms.value.get(item.room);
  if (room && !room.role) patchRoom(item.room, { role: "member" });
  const pause = room && !["owner", "moderator"].includes(room.role) ? room.slow_mode : 0;
  if (pause) slowUntil.value = { ...slowUntil.value, [item.room]: Date.now() + pause * 1000 };
}

/** Without a connection the next hello sends it; else it goes again after the wait the server named. */
function wait(room, refusal) {
  if (refusal.code === "slow_mode" && refusal.retryAfter) {
    slowUntil.value = { ...slowUntil.value, [room]: Date.now() + refusal.retryAfter * 1000 };
  }
  const attempt = tries.get(room) ?? 0;
  tries.set(room, attempt + 1);
  timers.set(room, setTimeout(() => flush(room), Math.max(300, reconnectDelay(attempt, refusal.retryAfter))));
}

/** Changes what is shown of one message, and not what is kept. */
export function alter(clientId, fields) {
  echoes.value = echoes.value.map((item) => (item.client_id === clientId ? { ...item, ...fields } : item));
}

function change(clientId, fields) {
  alter(clientId, fields);
  const item = echoes.value.find((other) => other.client_id === clientId);
  if (item) keep(item);
}

function keep(item) {
  localStorage.setItem(ownKey("outbox", item.client_id), JSON.stringify(item));
}

function forget(clientId) {
  localStorage.removeItem(ownKey("outbox", clientId));
}

/** Messages that are in the log now: their echo goes. */
export function dropPosted(room) {
  const { seq, entries } = view(room).peek();
  const posted = new Set(entries.map(({ message }) => message.client_id));
  const isThere = (item) => item.room === room && ((item.state === "sent" && item.seq <= seq) || posted.has(item.client_id));
  if (echoes.peek().some(isThere)) echoes.value = echoes.peek().filter((item) => !isThere(item));
}

export function flushAll() {
  reread();
  for (const room of new Set(echoes.value.map((item) => item.room))) flush(room);
}

onHello(flushAll);
addEventListener("storage", ({ key }) => key?.startsWith(ownKey("outbox")) && reread());
reread();
