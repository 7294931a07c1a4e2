/** Between the messages and the box: who is writing, and the way to the end. */

import { goToEnd } from "../state/history.js";
import { me } from "../state/me.js";
import { view } from "../state/rooms.js";
import { typing } from "../state/typing.js";
import { activeId, atEnd } from "../state/view.js";
import { html, useRef } from "../vendor/preact.js";
import { Icon } from "./parts.js";

export function TypingLine() {
  const users = typing.value[activeId.value] ?? [];
  if (!users.length) return html`<div class="typing"><span class="typing__who"></span></div>`;
  const dot = html`<span class="typing__dot"></span>`;
  return html`<div class="typing"><span class="typing__dots" aria-hidden="true">${dot}${dot}${dot}</span><span class="typing__who">${who(users)}</span></div>`;
}

function who(users) {
  const [a, b] = users.map((user) => html`<b dir="auto">${user.display_name}</b>`);
  if (users.length === 1) return html`${a} is typing`;
  if (users.length === 2) return html`${a} and ${b} are typing`;
  const rest = users.length - 2;
  return html`${a}, ${b} and ${rest} ${rest === 1 ? "other" : "others"} are typing`;
}

export function Jump() {
  const { entries, atEnd: isWhole, loaded } = view(activeId.value).value;
  const from = useRef(null);
  const last = entries.length ? entries[entries.length - 1].message.seq : 0;
  if (atEnd.value || !loaded || from.current?.room !== activeId.value) from.current = { room: activeId.value, seq: last };
  if (!loaded || (atEnd.value && isWhole)) return null;
  const fresh = ({ message }) => message.seq > from.current.seq && message.author.id !== me.value?.id;
  const count = isWhole ? entries.filter(fresh).length : 0;
  if (!count) return html`<button class="jump jump--plain" type="button" aria-label="Go to the latest message" onClick=${goToEnd}><${Icon} name="down" /></button>`;
  return html`<button class="jump" type="button" onClick=${goToEnd}><${Icon} name="down" />${count} new</button>`;
}
