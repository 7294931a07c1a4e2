/** The line above the text (answering, editing) and the note below the box. */

import { plain } from "../lib/text.js";
import { limits } from "../state/me.js";
import { about } from "../state/view.js";
import { html } from "../vendor/preact.js";
import { Icon, IconButton } from "./parts.js";

const SHOWN_FROM = 200;

export function About({ subject: { kind, message } }) {
  const isEdit = kind === "edit";
  const text = isEdit
    ? html`Editing: ${plain(message.body)}`
    : html`Answering <b dir="auto">${message.author.display_name}</b>: ${plain(message.body)}`;
  return html`<div class="composer__about">
    <${Icon} name=${isEdit ? "edit" : "reply"} extra=${isEdit ? "icon--small" : "icon--small icon--turns"} />
    <span class="composer__about-text">${text}</span>
    <${IconButton} icon="close" label=${isEdit ? "Do not edit" : "Do not answer"} onClick=${() => (about.value = null)} />
  </div>`;
}

/** One line, always there, so that nothing moves when it speaks. */
export function Note({ wrong, excess, seconds, slowMode, isReadFirst, isFocused, isEdit }) {
  const count = limits.max_body_chars + excess;
  const number = html`<span class="num">${format(count)} / ${format(limits.max_body_chars)}</span>`;
  if (excess > 0) return line("alert", `${format(excess)} ${excess === 1 ? "character" : "characters"} too many`, { isWrong: true, end: number });
  if (wrong) return line("alert", wrong, { isWrong: true });
  const end = excess >= -SHOWN_FROM ? number : null;
  if (seconds > 0) {
    const rule = slowMode ? `One message every ${slowMode} s.` : "Slow mode.";
    return line("clock", `${rule} Yours can go in ${seconds} s.`, { end });
  }
  if (isReadFirst && !isEdit) return line("wait", "A moderator reads guests’ messages first", { end });
  if (!isFocused) return html`<div class="composer__note" id="write-note">${end && html`<span></span>${end}`}</div>`;
  return html`<div class="composer__note" id="write-note">
    <span class="composer__note-lead"><span class="key">Enter</span> ${isEdit ? "saves" : "sends"}, <span class="key">Shift Enter</span> starts a line</span>${end}
  </div>`;
}

function line(icon, text, { isWrong = false, end = null }) {
  return html`<div class=${isWrong ? "composer__note composer__note--wrong" : "composer__note"} id="write-note">
    <span class="composer__note-lead"><${Icon} name=${icon} extra="icon--small" />${text}</span>${end}
  </div>`;
}

function format(number) {
  return number.toLocaleString(document.documentElement.lang);
}
