/** How many messages of others came while the connection was lost, told for a moment once it is back. */

import { effect } from "../vendor/preact.js";
import { link, lostAt } from "./connection.js";
import { me } from "./me.js";
import { view } from "./rooms.js";
import { activeId, arrived } from "./view.js";

const TOLD_MS = 3_000;
const NOTICED_MS = 1_000;
const SETTLE_MS = 600;

let before = null;
let isFirst = true;

effect(() => {
  const lost = lostAt.value;
  if (lost !== null) {
    if (!isFirst) before ??= { lost, room: activeId.peek(), seq: activeId.peek() === null ? 0 : view(activeId.peek()).peek().seq };
    return;
  }
  isFirst = false;
  const outage = before;
  before = null;
  if (outage === null || Date.now() - outage.lost < NOTICED_MS || link.peek().phase !== "ready") return;
  setTimeout(() => tell(outage), SETTLE_MS);
});

function tell({ room, seq }) {
  if (room === null || room !== activeId.peek()) return;
  const isNew = ({ message }) => message.seq > seq && message.author.id !== me.peek()?.id;
  arrived.value = view(room).peek().entries.filter(isNew).length;
  setTimeout(() => (arrived.value = null), TOLD_MS);
}
