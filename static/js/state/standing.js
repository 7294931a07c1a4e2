/** What the reader is to the rooms: rights, the mute that binds them, what they are told in person. */

import { rest } from "../net/rest.js";
import { computed, effect } from "../vendor/preact.js";
import { client, link } from "./connection.js";
import { boot, clockSkew, me } from "./me.js";
import { active, may, patchRoom, rooms } from "./rooms.js";

const MARGIN_MS = 400;
const LONGEST_MS = 86_400_000;

/** Reads again what the reader may do in a room. */
export async function refresh(id) {
  const room = await rest("GET", `rooms/${id}`).catch(() => null);
  if (!room || !rooms.value.has(id)) return;
  const { rights, restriction, role } = room;
  patchRoom(id, { rights, restriction, role });
}

/** Milliseconds from now to an instant of the server's clock; null without one. */
export function timeTo(iso) {
  return iso ? Date.parse(iso) - Date.now() - clockSkew.value : null;
}

// A mute ends by itself: the server is asked a moment later whether it has.
let ending = null;
effect(() => {
  clearTimeout(ending);
  const bound = [...rooms.value.values()].filter(({ restriction }) => restriction?.ends_at);
  if (!bound.length) return;
  const next = bound.reduce((a, b) => (a.restriction.ends_at < b.restriction.ends_at ? a : b));
  const wait = Math.max(MARGIN_MS, timeTo(next.restriction.ends_at) + MARGIN_MS);
  ending = setTimeout(() => refresh(next.id), Math.min(wait, LONGEST_MS));
});

let telling = null;

/** What is told is taken by code that is read when there is something to tell; `read` imports it. */
export function tellLater(read) {
  telling = read;
}

client.on("notification", async ({ kind, data }) => {
  if (kind.endsWith("sanctioned")) {
    for (const id of data.room ? [data.room] : rooms.value.keys()) if (rooms.value.has(id)) refresh(id);
  }
  (await telling()).hear(kind, data);
});

let isFirst = true;
client.on("hello", async ({ user, server_time: now }) => {
  clockSkew.value = Date.parse(now) - Date.now();
  const first = isFirst;
  isFirst = false;
  if (!user || (first && !boot.notices?.length)) return;
  (await telling()).catchUp(first ? boot.notices : null);
});

/** The open room, where the reader moderates it. What waits there is counted once it is connected. */
const moderated = computed(() => (link.value.phase === "ready" && me.value && may(active.value, "moderate") ? active.value.id : null));
effect(() => {
  const id = moderated.value;
  if (id !== null) telling().then(({ count }) => count(id), () => null);
});
