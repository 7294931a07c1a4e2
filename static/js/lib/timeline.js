/** The rows of a room, in order: days, the place where reading stopped, what the room reports, messages. */

import { noticeLines } from "./notices.js";

const RUN_MS = 5 * 60_000;

/** Rows from loaded messages, notices and the reader's own messages on their way (`echoes`).
 *
 * `marker` is null or {seq, at}: everything after `seq` is new since `at`. `read` is the read mark.
 * A message row is {type, key, message, first, own, fresh, state}; `state` is null in the log, else that of the
 * echo. Those that a moderator decides about stand at their time, the others at the end.
 */
export function timeline({ messages, notices, echoes, me, marker, read, dayOf }) {
  const rows = [];
  const names = new Map(messages.map(({ author }) => [author.id, author.display_name]));
  const context = { me, nameOf: (id) => names.get(id) ?? null };
  const walk = { rows, day: null, previous: null, marked: false };
  const posted = new Set(messages.filter(({ author }) => author.id === me?.id).map((message) => message.client_id));
  const rest = echoes.filter((echo) => !posted.has(echo.client_id));
  const kept = rest.filter(({ state }) => state === "held" || state === "rejected");

  for (const item of inOrder(messages, notices)) {
    const at = Date.parse(item.notice ? item.notice.at : item.message.created_at);
    while (kept.length && Date.parse(kept[0].at) < at) placeEcho(walk, kept.shift(), { me, dayOf });
    if (item.notice) {
      placeNotice(walk, item.notice, { context, dayOf });
      continue;
    }
    const { message } = item;
    const own = Boolean(me) && message.author.id === me.id;
    const fresh = Boolean(marker) && message.seq > Math.max(marker.seq, read) && !own;
    if (marker && !walk.marked && message.seq > marker.seq && !own) placeMarker(walk, marker, { message, dayOf });
    placeMessage(walk, { message, own, fresh, state: null }, dayOf);
  }
  for (const echo of [...kept, ...rest.filter(({ state }) => state !== "held" && state !== "rejected")]) {
    placeEcho(walk, echo, { me, dayOf });
  }
  return rows;
}

function placeEcho(walk, echo, { me, dayOf }) {
  const bare = { id: null, seq: null, author: me, created_at: echo.at, edited_at: null, deleted_at: null };
  const message = { ...echo, ...bare, html: echo.html ?? "" };
  placeMessage(walk, { message, own: true, fresh: false, state: echo.state, echo }, dayOf);
}

/** One key for a message's whole life, so that its bubble settles in place. */
export function keyOf(message) {
  return message.client_id && message.author ? `${message.author.id}:${message.client_id}` : `id:${message.id}`;
}

function inOrder(messages, notices) {
  const first = messages.length ? messages[0].seq : 0;
  const items = messages.map((message) => ({ seq: message.seq, message }));
  for (const notice of notices) if (notice.seq >= first) items.push({ seq: notice.seq, notice });
  return items.sort((a, b) => a.seq - b.seq);
}

function placeDay(walk, at, dayOf) {
  const day = dayOf(at);
  if (walk.day === day) return;
  walk.rows.push({ type: "day", key: `day:${day}`, at, first: walk.rows.length === 0 });
  walk.day = day;
  walk.previous = null;
}

function placeMarker(walk, marker, { message, dayOf }) {
  placeDay(walk, message.created_at, dayOf);
  walk.rows.push({ type: "new", key: "new", at: marker.at });
  walk.marked = true;
  walk.previous = null;
}

function placeNotice(walk, notice, { context, dayOf }) {
  const lines = noticeLines(notice, context);
  if (!lines.length) return;
  placeDay(walk, notice.at, dayOf);
  lines.forEach((line, index) => {
    walk.rows.push({ type: "event", key: `event:${notice.seq}:${index}`, at: notice.at, ...line });
  });
  walk.previous = null;
}

function placeMessage(walk, row, dayOf) {
  const { message } = row;
  placeDay(walk, message.created_at, dayOf);
  const previous = walk.previous;
  const continues =
    previous !== null &&
    previous.author.id === message.author.id &&
    Date.parse(message.created_at) - Date.parse(previous.created_at) <= RUN_MS;
  walk.rows.push({ type: "message", key: keyOf(message), first: !continues, ...row });
  walk.previous = message;
}
