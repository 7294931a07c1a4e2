/** Who is writing now. Not in the log; a name goes by itself after a few seconds. */

import { signal } from "../vendor/preact.js";
import { client, request } from "./connection.js";
import { me } from "./me.js";

const SHOWN_MS = 6_000;
const TELL_MS = 3_000;

/** People writing, by room id. */
export const typing = signal({});

const timers = new Map();
let toldAt = 0;

client.on("typing", ({ room, users }) => {
  typing.value = { ...typing.value, [room]: users.filter((user) => user.id !== me.value?.id) };
  clearTimeout(timers.get(room));
  timers.set(room, setTimeout(() => (typing.value = { ...typing.value, [room]: [] }), SHOWN_MS));
});

/** The reader writes in a room; told to others at most every 3 s. */
export function tellTyping(room) {
  if (!me.value || Date.now() - toldAt < TELL_MS) return;
  toldAt = Date.now();
  request("typing", { room }).catch(() => null);
}

/** Someone's message has come: they are not writing it any more. */
export function stopTyping(room, userId) {
  const users = typing.value[room];
  if (users?.some((user) => user.id === userId)) {
    typing.value = { ...typing.value, [room]: users.filter((user) => user.id !== userId) };
  }
}
