/** The reader's own messages that wait for a moderator: kept by the server, they outlive a reload. */

import { rest } from "../net/rest.js";
import { effect } from "../vendor/preact.js";
import { client, link } from "./connection.js";
import { boot, me } from "./me.js";
import { alter, echoes, heldEchoes } from "./outbox.js";
import { activeId } from "./view.js";

const SOON_MS = 300;

function put(room, held) {
  const others = echoes.value.filter((item) => item.room !== room || item.state !== "held");
  echoes.value = [...others, ...heldEchoes(held)].sort((a, b) => a.order - b.order);
}

async function read(room) {
  const answer = me.value && (await rest("GET", `rooms/${room}/messages`, { query: { held: "mine" } }).catch(() => null));
  if (answer) put(room, answer.results);
}

/** A message was not let in. Whether its words are here to say so. */
export function rejectHeld(clientId, reason) {
  const isKnown = echoes.value.some((item) => item.client_id === clientId);
  if (isKnown) alter(clientId, { state: "rejected", reason });
  return isKnown;
}

let entered = boot.room?.id ?? null;
effect(() => {
  const id = activeId.value;
  if (id !== null && id !== entered) read(id);
  entered = id;
});

let isFirst = link.peek().phase !== "ready";
client.on("hello", () => {
  if (!isFirst && activeId.peek() !== null) read(activeId.peek());
  isFirst = false;
});

// One that was just held has its words only; the server has rendered them.
let soon = null;
effect(() => {
  const fresh = echoes.value.find((item) => item.state === "held" && item.html === undefined);
  if (fresh) soon ??= setTimeout(() => ((soon = null), read(fresh.room)), SOON_MS);
});
