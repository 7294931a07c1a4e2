/** What is written but not sent, a room; it survives a reload. */

import { signal } from "../vendor/preact.js";
import { ownKey } from "./me.js";

/** Bodies by room id, as far as they were touched in this page. */
export const drafts = signal({});

export function draftOf(room) {
  return drafts.value[room] ?? localStorage.getItem(ownKey("draft", room)) ?? "";
}

export function keepDraft(room, body) {
  drafts.value = { ...drafts.value, [room]: body };
  if (body) localStorage.setItem(ownKey("draft", room), body);
  else localStorage.removeItem(ownKey("draft", room));
}
