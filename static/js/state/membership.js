/** Joining a room, and how many have. The rest is in members.js, read with the details. */

import { rest } from "../net/rest.js";
import { computed, signal } from "../vendor/preact.js";
import { boot } from "./me.js";
import { patchRoom } from "./rooms.js";
import { activeId, say } from "./view.js";

export const counts = signal(boot.room && boot.members != null ? { [boot.room.id]: boot.members } : {});

/** How many members the open room has, or null while that is not known. */
export const memberCount = computed(() => counts.value[activeId.value] ?? null);

/** Joins the room, or says why not. */
export async function tryJoin(room) {
  try {
    await rest("PUT", `rooms/${room.id}/members/me`);
    patchRoom(room.id, { role: "member" });
  } catch (refusal) {
    say(refusal.message, { icon: "alert" });
  }
}
