/** What may stand in the way of a name. */

import { reason } from "./refusal.js";

/** Why a name cannot be had. */
export function nameRefused(refusal, name) {
  if (refusal.code === "conflict") return `${name} is taken here.`;
  const field = refusal.fields?.display_name;
  if (field) return Array.isArray(field) ? field[0] : field;
  if (refusal.code === "rate_limited") return "Too many new names from here. Try again in a while.";
  return `Not sent: ${reason(refusal.code)}.`;
}
