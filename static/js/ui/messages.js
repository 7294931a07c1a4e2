/** The open room's messages on their line. */

import { messagesOf } from "../lib/reduce.js";
import { timeline } from "../lib/timeline.js";
import { failed, loadRoom, loading } from "../state/history.js";
import { me, times } from "../state/me.js";
import { dropPosted, echoes } from "../state/outbox.js";
import { quotedIn } from "../state/quotes.js";
import { marker } from "../state/read.js";
import { active, view } from "../state/rooms.js";
import { activeId, atEnd, target } from "../state/view.js";
import { html, useEffect, useRef } from "../vendor/preact.js";
import { useMessageKeys } from "./message-keys.js";
import { MessageRow } from "./message.js";
import { openMenu, openPerson, warm } from "./message-tools.js";
import { Empty, Icon } from "./parts.js";
import { useAnchoredScroll } from "./scroll.js";
import { useLongPress } from "./touch.js";

const hasPointer = matchMedia("(pointer: fine)");

export function Messages() {
  const room = active.value;
  const state = view(activeId.value).value;
  const rows = rowsOf(room, state);
  const box = useRef(null);
  const extent = useRef(state);
  extent.current = state;
  const byKey = new Map(rows.map((row) => [row.key, row]));
  const find = (element) => byKey.get(element?.closest("article")?.dataset.key) ?? null;
  useAnchoredScroll(box, { extent, version: rows.length });
  const onKeyDown = useMessageKeys(box, find);
  const touch = useLongPress((element) => {
    const row = find(element);
    if (row?.message.id && !row.state) openMenu(row.message);
  });
  useEffect(() => dropPosted(activeId.value), [state.seq]);

  const click = ({ target: element }) => {
    target.value = null;
    const row = element.closest(".message__avatar, .message__author") && find(element);
    if (row?.message && !row.own) openPerson(row.message.author, hasPointer.matches ? element.getBoundingClientRect() : null);
  };
  const over = (event) => event.pointerType !== "touch" && warm(find(event.target)?.key ?? null);
  return html`<div class="messages messages--live" role="log" aria-label=${`Messages in ${room.name}`} tabindex="0" ref=${box}
      onKeyDown=${onKeyDown} onPointerOver=${over} onPointerLeave=${() => warm(null)} onFocusIn=${(event) => warm(find(event.target)?.key ?? null)}
      onClick=${click} ...${touch}>
    <div class="messages__list">
      ${loading.value === "before" && html`<${Bones} count=${2} />`}
      ${!state.loaded && loading.value === "fresh" && html`<${Bones} count=${6} />`}
      ${state.loaded && rows.length === 0 && html`<${Empty} art="nobody" title="Nobody has written here yet" text="Say hello, or ask the first question." />`}
      ${!state.loaded && failed.value && html`<${Broken} />`}
      ${rows.map((row) => html`<${Row} key=${row.key} row=${row} />`)}
    </div>
  </div>`;
}

const seenRows = new Map();

/** The rows; a message that comes while the reader is at the end may show that it arrives. */
function rowsOf(room, state) {
  const rows = timeline({
    messages: messagesOf(state),
    notices: state.notices,
    echoes: echoes.value.filter((echo) => echo.room === room.id),
    me: me.value,
    marker: marker.value,
    read: room.read ?? 0,
    dayOf: times.dayOf,
  });
  const known = seenRows.get(room.id);
  const keys = new Set(known);
  for (const row of rows) {
    row.arrives = Boolean(known) && atEnd.peek() && row.type === "message" && !known.has(row.key) && row === rows[rows.length - 1];
    if (!row.arrives) keys.add(row.key);
  }
  if (state.loaded) seenRows.set(room.id, keys);
  if (rows.length) rows[rows.length - 1].isLast = true;
  const quotes = quotedIn(state);
  for (const row of rows) row.quoted = row.message?.reply_to ? quotes(row.message.reply_to) : null;
  return rows;
}

function Row({ row }) {
  if (row.type === "message") return html`<${MessageRow} row=${row} quoted=${row.quoted} />`;
  if (row.type === "event") return html`<${EventRow} row=${row} />`;
  return html`<${Separator} row=${row} />`;
}

function Separator({ row }) {
  const knot = html`<span class="separator__knot" aria-hidden="true"></span>`;
  if (row.type === "new") {
    const label = row.at ? `New since ${times.since(row.at)}` : "New";
    return html`<h2 class="separator separator--new">${knot}<span class="separator__label">${label}</span></h2>`;
  }
  return html`<h2 class=${row.first ? "separator separator--start" : "separator"}>
    ${knot}<time class="separator__label" datetime=${times.dayOf(row.at)}>${times.day(row.at)}</time>
  </h2>`;
}

function EventRow({ row }) {
  return html`<p class="event">
    <time class="event__time" datetime=${row.at}>${times.clock(row.at)}</time>
    ${row.icon
      ? html`<span class="event__icon" aria-hidden="true"><${Icon} name=${row.icon} extra="icon--small" /></span>`
      : html`<span class="event__knot" aria-hidden="true"></span>`}
    <span class="event__text" dir="auto">${row.text}</span>
  </p>`;
}

function Bones({ count }) {
  const lines = ["bone--long", "bone--short", "bone--mid"];
  return Array.from({ length: count }, (_, index) => html`<div class="message message--first message--bones" aria-hidden="true">
    <span class="bone bone--bead message__avatar"></span>
    <div class="message__head"><span class="bone bone--name"></span></div>
    <div class="message__main"><span class=${`bone ${lines[index % 3]}`}></span><span class=${`bone ${lines[(index + 1) % 3]}`}></span></div>
  </div>`);
}

function Broken() {
  return html`<${Empty} art="broken" title="The messages did not arrive" text="The server did not answer in time. Nothing is lost.">
    <button class="button button--primary button--small" type="button" onClick=${() => loadRoom(activeId.value)}>Try again</button>
  <//>`;
}

