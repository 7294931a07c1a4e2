/** What the reader does to messages that are in the log: edit, delete, restore, copy. */

import { reason } from "../lib/refusal.js";
import { request } from "./connection.js";
import { me } from "./me.js";
import { roomPath } from "./navigate.js";
import { active, may } from "./rooms.js";
import { about, focusBox, menu, say } from "./view.js";

/** What may be done with a message, in the order of the menu. */
export function rightsOn(message) {
  const room = active.value;
  const own = me.value !== null && message.author.id === me.value.id;
  const isDeleted = Boolean(message.deleted_at);
  const isOpen = Boolean(room) && !room.archived_at;
  return {
    own,
    reply: !isDeleted && isOpen,
    edit: own && !isDeleted && isOpen,
    report: !own && !isDeleted && message.id !== null,
    remove: (own || may(room, "moderate")) && !isDeleted && message.id !== null,
    sanction: !own && may(room, "sanction"),
    restore: isDeleted && (may(room, "moderate") || (own && message.deleted_by === "author")),
  };
}

export function startReply(message) {
  about.value = { kind: "reply", message };
  menu.value = null;
  focusBox();
}

export function startEdit(message) {
  about.value = { kind: "edit", message };
  menu.value = null;
  focusBox();
}

/** Saves an edit. Throws a Refusal; the text then stays in the box. */
export function saveEdit(message, body) {
  return request("message.edit", { message: message.id, body });
}

export async function remove(message) {
  menu.value = null;
  try {
    await request("message.delete", { message: message.id });
    say("Message deleted", { act: { label: "Undo", run: () => restore(message) } });
  } catch (refusal) {
    say(`Not deleted: ${reason(refusal.code)}`, { icon: "alert", act: { label: "Try again", run: () => remove(message) } });
  }
}

export async function restore(message) {
  try {
    await request("message.restore", { message: message.id });
  } catch (refusal) {
    say(`Not restored: ${reason(refusal.code)}`, { icon: "alert", act: { label: "Try again", run: () => restore(message) } });
  }
}

export function copyText(message) {
  copy(message.body, "Text copied");
}

export function copyLink(message) {
  copy(`${location.origin}${roomPath(active.value)}?m=${message.seq}`, "Link copied");
}

async function copy(text, done) {
  menu.value = null;
  try {
    await navigator.clipboard.writeText(text);
    say(done);
  } catch {
    say("The browser does not let this page copy", { icon: "alert" });
  }
}
