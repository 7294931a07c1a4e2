/** What is told to a person, in words: {icon, tone, title, text} of a notice and of a closed room. */

import { isolated, reasonGiven } from "./text.js";

/** The card of a notice, or null for a kind that is not known here. `since` words an instant. */
export function noticeWords({ kind, data }, since) {
  const there = data.room_name ? ` in ${isolated(data.room_name)}` : "";
  const reason = reasonGiven(data.reason);
  if (kind === "sanctioned") return sanctioned(data, { there, reason, since });
  if (kind === "unsanctioned") return { icon: "check", title: lifted(data, there), text: "A moderator has lifted it." };
  if (kind === "report.decided") return decided(data);
  if (kind === "held.approved") return { icon: "check", title: `Your message is${there || " in the room"}`, text: "A moderator let it in." };
  if (kind === "held.rejected") return { icon: "ban", title: `A message of yours was not let in${there}`, text: reason };
  if (kind === "message.removed") return { icon: "trash", title: `A moderator removed a message of yours${there}`, text: reason };
  return null;
}

function sanctioned(data, { there, reason, since }) {
  const until = data.ends_at ? ` until ${since(data.ends_at)}` : "";
  const tone = "danger";
  if (data.sanction === "warn") return { icon: "alert", tone: "signal", title: `A moderator warns you${there}`, text: reason, understood: true };
  if (data.sanction === "mute") return { icon: "clock", tone, title: `You cannot write${there}${until}`, text: reason };
  const { title, text } = barWords({ kind: data.sanction, name: data.room_name, reason: data.reason, ends_at: data.ends_at }, since);
  return { icon: "lock", tone, title, text };
}

function lifted({ sanction, room_name: name }, there) {
  if (sanction === "warn") return "A warning was taken back";
  if (sanction === "mute") return `You can write${there} again`;
  return name ? `${isolated(name)} is open to you again` : "You are no longer banned";
}

function decided({ outcome }) {
  return outcome === "upheld"
    ? { icon: "flag", title: "A moderator agrees with your report", text: "It was looked into, and what was needed is done." }
    : { icon: "flag", title: "A moderator has looked into your report", text: "Nothing against the rules was found." };
}

/** A room that is closed to the reader; without a name: everything. */
export function barWords({ kind, name, reason, ends_at: end }, since) {
  const until = end ? ` until ${since(end)}` : "";
  const text = reasonGiven(reason);
  if (kind === "kick") {
    const back = end ? `You can come back at ${since(end)}.` : "";
    return { title: `You were taken out of ${isolated(name)}`, text: [text, back].filter(Boolean).join(" ") };
  }
  return { title: `You are banned${name ? ` from ${isolated(name)}` : ""}${until}`, text };
}
