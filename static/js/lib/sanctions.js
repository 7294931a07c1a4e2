/** Reasons, times and kinds of sanctions, in words. The reasons are those of chat/models/reason.py. */

import { isolated } from "./text.js";

export const CATEGORIES = [
  ["spam", "Spam or advertising"],
  ["harassment", "Harassment or bullying"],
  ["hate", "Hate"],
  ["violence", "Threats or violence"],
  ["sexual", "Sexual content"],
  ["privacy", "Private information of others"],
  ["impersonation", "Pretending to be someone else"],
  ["illegal", "Against the law"],
  ["off_topic", "Off topic"],
  ["other", "Something else"],
];

export const MAX_REASON_CHARS = 500;

/** The words of a category. */
export function categoryLabel(category) {
  return new Map(CATEGORIES).get(category) ?? category;
}

const SPANS = new Map([
  [5, "5 minutes"],
  [10, "10 minutes"],
  [60, "an hour"],
  [1440, "a day"],
  [10_080, "a week"],
  [43_200, "30 days"],
  [null, "ever"],
]);

/** What is asked before each kind. `spans` in minutes, null for ever; `usual` is chosen at first. */
export const KINDS = {
  warn: { verb: "Warn", text: "They are shown the reason and go on.", spans: [], usual: null },
  mute: { verb: "Mute", text: "They can read but not write. They are told the reason you give here.", spans: [10, 60, 1440, 10_080, 43_200, null], usual: 60 },
  kick: { verb: "Kick", text: "They leave the room and cannot come back for this time. They are told the reason you give here.", spans: [5, 10, 60, 1440], usual: 5 },
  ban: { verb: "Ban", text: "They can neither read nor write here. They are told the reason you give here.", spans: [10, 60, 1440, 10_080, 43_200, null], usual: 1440 },
  clean_up: { verb: "Ban", text: "Bans, and removes what they wrote here in this time. Undo takes back both.", spans: [60, 1440, 10_080, 43_200, null], usual: null },
};

/** "for an hour", "for ever". */
export function forTime(minutes) {
  return `for ${SPANS.get(minutes)}`;
}

/** How far back a clean-up goes: hours and words. */
export const REACHES = [
  [1, "the last hour"],
  [24, "the last 24 hours"],
  [168, "the last 7 days"],
  [720, "the last 30 days"],
];

/** What was done, for the toast. */
export function doneText(kind, displayName, minutes) {
  const name = isolated(displayName);
  if (kind === "warn") return `${name} was warned`;
  if (kind === "mute") return `${name} cannot write ${forTime(minutes)}`;
  if (kind === "kick") return `${name} was kicked`;
  return `${name} is banned ${forTime(minutes)}`;
}

/** A sanction in force, in a list. `since` words an instant. */
export function sanctionLine({ kind, ends_at: end }, since) {
  const name = { warn: "Warned", mute: "Muted", kick: "Kicked", ban: "Banned" }[kind];
  if (kind === "warn") return name;
  return end ? `${name} until ${since(end)}` : `${name} for ever`;
}
