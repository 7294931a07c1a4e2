/** What the room itself reports, in words: an icon's name (or null for a plain knot) and a sentence. */

import { isolated } from "./text.js";

const ROLES = { owner: "an owner", moderator: "a moderator", member: "a member" };

/** The lines of one notice. `nameOf` gives a name for an id or null; `me` is the reader or null. */
export function noticeLines(notice, { nameOf, me }) {
  const { kind, data, actor } = notice;
  const isMe = me && data.user?.id === me.id;
  const who = isMe ? "You" : isolated(data.user?.display_name);
  if (kind === "member.joined") return [line(null, `${who} joined`)];
  if (kind === "member.left") return [line(null, `${who} left`)];
  if (kind === "member.role_changed") return [line("shield", `${who} ${isMe ? "are" : "is"} now ${ROLES[data.role] ?? data.role}`)];
  if (kind === "member.sanctioned") return [line("shield", "A moderator restricted a member")];
  if (kind === "member.unsanctioned") return [line("shield", "A moderator lifted a restriction")];
  if (kind === "room.archived") return [line("lock", data.room.archived_at ? "The room was closed" : "The room was opened again")];
  if (kind === "room.updated") return roomLines(data, actorName(actor, { nameOf, me }));
  return [];
}

function actorName(actor, { nameOf, me }) {
  if (me && actor === me.id) return "You";
  return actor && nameOf(actor) && isolated(nameOf(actor));
}

function roomLines({ before, room }, who) {
  const lines = [];
  if (before.name !== room.name) {
    lines.push(line("edit", `${who ? `${who} renamed the room to` : "The room is now called"} ${isolated(room.name)}`));
  }
  if (before.topic !== room.topic) {
    lines.push(line("edit", who ? `${who} changed the topic` : "The topic was changed"));
  }
  if (before.slow_mode !== room.slow_mode) {
    lines.push(line("clock", room.slow_mode ? `Slow mode is on: one message every ${room.slow_mode} s` : "Slow mode is off"));
  }
  if (before.kind !== room.kind) lines.push(line(KINDS[room.kind]?.icon ?? "door", `The room is now ${KINDS[room.kind]?.words ?? room.kind}`));
  if (before.guest_policy !== room.guest_policy) {
    lines.push(line("people", `Guests ${GUESTS[room.guest_policy] ?? "have new rights"}`));
  }
  return lines;
}

const KINDS = {
  public: { icon: "door", words: "open to everyone" },
  announcement: { icon: "news", words: "for announcements: only moderators write" },
  private: { icon: "lock", words: "private" },
};

export const GUESTS = { none: "may not read", read: "may read", approval: "may write after approval", write: "may read and write" };

function line(icon, text) {
  return { icon, text };
}
