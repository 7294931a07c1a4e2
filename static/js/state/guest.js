/** A visitor writes: their words wait here, they give a name, the words go out. */

import { postForm } from "../net/rest.js";
import { signal } from "../vendor/preact.js";
import { reconnect } from "./connection.js";
import { keepDraft } from "./drafts.js";
import { me, urls } from "./me.js";
import { post } from "./outbox.js";

/** {room, body, reply_to} that waits for a name, or null. */
export const unsigned = signal(null);

export function askName(words) {
  unsigned.value = words;
}

/** Back to the box, with the words in it. */
export function putOff() {
  keepDraft(unsigned.value.room, unsigned.value.body);
  unsigned.value = null;
}

/** A new guest of this name, signed in. Throws a Refusal: `conflict` carries a free name in its fields. */
async function newGuest(displayName) {
  const answer = await postForm(urls.guest, { display_name: displayName });
  return answer.user ?? answer;
}

/** Becomes a guest of this name. */
export async function becomeGuest(displayName) {
  me.value = await newGuest(displayName);
  reconnect();
}

/** Becomes a guest of this name and sends what waited for one. */
export async function sendAsGuest(displayName) {
  const words = unsigned.value;
  const guest = await newGuest(displayName);
  keepDraft(words.room, "");
  me.value = guest;
  unsigned.value = null;
  post(words.room, words);
  reconnect();
}

/** The free name a refusal offers, or null. */
export function freeName(refusal) {
  const offered = refusal.fields?.suggestion ?? refusal.fields?.free ?? null;
  return Array.isArray(offered) ? offered[0] : offered;
}
