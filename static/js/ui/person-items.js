/** What may be done about a person in the open room, in the order of the menu. */

import { changeRole, members } from "../state/members.js";
import { me } from "../state/me.js";
import { active, may } from "../state/rooms.js";
import { dialog, say } from "../state/view.js";

export function personItems(user) {
  const room = active.value;
  const isMe = user.id === me.value?.id;
  const maySanction = !isMe && may(room, "sanction");
  const ask = (kind) => () => (dialog.value = { kind, user });
  const acts = maySanction && !outranks(user, room);
  return [
    !isMe && { icon: "flag", label: "Report this person", run: ask("report") },
    ...roleItems(user, room, isMe),
    acts && { icon: "undo", label: "What is in force", run: ask("lift"), turns: true },
    acts && { icon: "alert", label: "Warn", run: ask("warn") },
    acts && { rule: true },
    acts && { icon: "clock", label: "Mute", run: ask("mute"), danger: true },
    acts && { icon: "leave", label: "Kick", run: ask("kick"), danger: true },
    acts && { icon: "ban", label: "Ban", run: ask("ban"), danger: true },
    acts && { icon: "trash", label: "Ban and clean up", run: ask("clean_up"), danger: true },
  ];
}

/** Their role here, where the details have told it. */
function roleOf(user, room) {
  if (members.value?.room !== room.id) return null;
  return members.value.results.find((member) => member.user.id === user.id)?.role ?? null;
}

/** Whether they are known to stand as high as the reader or higher: the server would refuse. */
function outranks(user, room) {
  const height = (role) => ["moderator", "owner"].indexOf(role);
  return height(room.role) >= 0 && height(roleOf(user, room)) >= height(room.role);
}

function roleItems(user, room, isMe) {
  const role = roleOf(user, room);
  if (isMe || room.role !== "owner" || user.is_guest || role === null || role === "owner") return [];
  const to = (icon, label, wanted) => ({
    icon,
    label,
    run: () => changeRole(room, user, wanted).catch((refusal) => say(refusal.message, { icon: "alert" })),
  });
  return [
    role === "member" ? to("shield", "Make a moderator", "moderator") : to("people", "Make a member", "member"),
    to("key", "Make an owner", "owner"),
  ];
}
