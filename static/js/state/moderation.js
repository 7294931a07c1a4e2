/** What moderators do from the room, over REST; each says what it did and offers to take it back. */

import { doneText } from "../lib/sanctions.js";
import { isolated } from "../lib/text.js";
import { rest } from "../net/rest.js";
import { restore } from "./changes.js";
import { active } from "./rooms.js";
import { say } from "./view.js";

/** Reports a message, a person or the room. Throws a Refusal. */
export async function report({ message, user, room }, { category, text }) {
  const body = { category, text };
  if (message) await rest("POST", `messages/${message.id}/report`, { body });
  else if (user) await rest("POST", `users/${user.id}/report`, { body: { ...body, room: active.value.id } });
  else await rest("POST", `rooms/${room.id}/report`, { body });
  say("Reported. You are told what a moderator decides.", { icon: "flag" });
}

/** Takes away a message of somebody else. Throws a Refusal. */
export async function removeMessage(message, why) {
  await rest("DELETE", `messages/${message.id}`, { body: why });
  say("Message removed", { act: { label: "Undo", run: () => restore(message) } });
}

/** Warns, mutes, kicks or bans in the open room. Throws a Refusal. */
export async function sanction(kind, user, { minutes, ...why }) {
  const room = active.value.id;
  const made = await rest("POST", "moderation/sanctions", { body: { user: user.id, kind, room, minutes, ...why } });
  // A kick has ended a membership, which lifting alone does not bring back.
  const undo = kind === "kick" ? () => takeBack(room, `kick:${made.id}`) : () => lift(made);
  say(doneText(kind, user.display_name, minutes), { act: { label: "Undo", run: undo } });
}

/** Bans and removes what was written in the last hours. Throws a Refusal. */
export async function cleanUp(user, { minutes, hours, ...why }) {
  const body = { user: user.id, room: active.value.id, minutes, hours, ...why };
  const made = await rest("POST", "moderation/clean-ups", { body });
  const count = made.after.removed?.length ?? 0;
  const text = `${isolated(user.display_name)} is banned, ${count} ${count === 1 ? "message" : "messages"} removed`;
  say(text, { act: { label: "Undo", run: () => undo(made.id) } });
}

/** The sanctions of a person that are in force in the open room. */
export async function inForce(user) {
  const query = { room: active.value.id, user: user.id };
  return (await rest("GET", "moderation/sanctions", { query })).results;
}

/** Ends a sanction before its time; whether that worked. */
export async function lift({ id, user }) {
  return tried(() => rest("DELETE", `moderation/sanctions/${id}`), `Lifted: ${isolated(user.display_name)} is told`);
}

/** Takes back what the audit of a room knows of `target`, such as "held:12". */
export async function takeBack(room, target) {
  return tried(async () => {
    const { results } = await rest("GET", "moderation/actions", { query: { room, limit: 50 } });
    const action = results.find((each) => each.target === target && each.undoes === null);
    await rest("POST", `moderation/actions/${action.id}/undo`);
  }, "Taken back");
}

function undo(id) {
  return tried(() => rest("POST", `moderation/actions/${id}/undo`), "Taken back");
}

async function tried(work, done) {
  try {
    await work();
    say(done);
    return true;
  } catch (refusal) {
    say(refusal.message, { icon: "alert" });
    return false;
  }
}
