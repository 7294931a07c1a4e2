/** Why a room has been closed to the reader by a kick or a ban, and until when. */

import { rest } from "../net/rest.js";
import { clockSkew } from "./me.js";
import { bars } from "./view.js";

/** In the place of a room's id: a ban from all of them. */
export const EVERYWHERE = "everywhere";

export function setBar(id, fields) {
  bars.value = { ...bars.value, [id]: { ...bars.value[id], ...fields } };
}

/** A bar is over. */
export function dropBar(id) {
  const { [id]: over, ...rest } = bars.value;
  if (over) bars.value = rest;
}

/** Asks why a room has been closed; the notice may have said more by then. */
export async function learnWhy(id) {
  const refusal = await rest("GET", `rooms/${id}`).catch((error) => error);
  if (refusal?.code !== "banned" || !bars.value[id]) return;
  const seconds = refusal.retryAfter;
  const ends = seconds ? new Date(Date.now() + clockSkew.value + seconds * 1000).toISOString() : null;
  const { ends_at: end, reason } = bars.value[id];
  setBar(id, { reason: reason || refusal.fields?.reason?.[0] || "", ends_at: end ?? ends });
}
