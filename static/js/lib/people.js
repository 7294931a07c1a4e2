/** How people and rooms are drawn before any picture: beads and tiles, from ids and names alone. */

const FIRST_LETTER = /^\P{M}\p{M}*(?:\u200d\P{M}\p{M}*)*/u;

/** The classes of a person's bead. A guest is hollow and has no cut. `null` is somebody without a name. */
export function beadClass(user) {
  if (!user) return "avatar avatar--nobody";
  const hue = `avatar--hue-${(user.id % 8) + 1}`;
  if (user.is_guest) return `avatar ${hue} avatar--guest`;
  return `avatar ${hue} avatar--cut-${(Math.floor(user.id / 8) % 6) + 1}`;
}

/** One letter for a guest, the first and the last word's for an account. */
export function initials(user) {
  if (!user) return "";
  const words = user.display_name.split(/\s+/u).filter(Boolean);
  const chosen = user.is_guest || words.length < 2 ? words.slice(0, 1) : [words[0], words[words.length - 1]];
  return chosen.map(firstLetter).join("");
}

/** The classes of a room's tile. */
export function tileClass(room) {
  return `tile tile--hue-${(room.id % 8) + 1}`;
}

/** The first grapheme of a name, in capitals where the script has them. */
export function firstLetter(name) {
  const match = FIRST_LETTER.exec(name.trim());
  return match ? match[0].toUpperCase() : "";
}
