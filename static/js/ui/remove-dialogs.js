/** Taking away a message of somebody else, and keeping one out that waits. */

import { decideHeld } from "../state/desk.js";
import { removeMessage } from "../state/moderation.js";
import { html } from "../vendor/preact.js";
import { Question, Why, whyOf } from "./question.js";

export function Remove({ message }) {
  const text = "It keeps its place and loses its words. With a reason its author is told.";
  return html`<${Question} title="Remove this message?" text=${text} verb="Remove" danger act=${(form) => removeMessage(message, whyOf(form))}>
    <${Why} optional />
  <//>`;
}

export function Reject({ held }) {
  const text = "Nobody else has seen it. Its author is told, with the reason where you give one.";
  return html`<${Question} title="Keep this message out?" text=${text} verb="Keep out" danger act=${(form) => decideHeld(held, "reject", whyOf(form))}>
    <${Why} optional />
  <//>`;
}
