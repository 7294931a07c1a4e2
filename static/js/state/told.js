/** Takes what is told to the reader in person: shows it where it belongs, else as a notice, once. */

import { noticeWords } from "../lib/told.js";
import { rest } from "../net/rest.js";
import { effect } from "../vendor/preact.js";
import { dropBar, EVERYWHERE, setBar } from "./barred.js";
import { count as countWaiting } from "./desk.js";
import { reloadList } from "./feed.js";
import { rejectHeld } from "./held.js";
import { timeTo } from "./standing.js";
import { activeId, isVisible, notices, say } from "./view.js";

export const count = countWaiting;

const known = new Set();
let newest = 0;
let told = 0;

/** A frame: a notice that is kept, or a hint to moderators. */
export function hear(kind, data) {
  if (kind === "held.waiting" || kind === "report.waiting") count(data.room);
  else if (data.notice) take({ id: data.notice, kind, data }, { isLive: true });
}

/** What was told while the reader was away: those that the page came with, else read now. */
export async function catchUp(list = null) {
  const kept = list ?? (await rest("GET", "me/notices").catch(() => null))?.results ?? [];
  for (const notice of kept) take(notice, { isLive: false });
}

function take(notice, { isLive }) {
  if (known.has(notice.id)) return;
  known.add(notice.id);
  newest = Math.max(newest, notice.id);
  const isShown = (SHOWN[notice.kind] ?? (() => false))(notice.data, isLive);
  if (!isShown && noticeWords(notice, String)) notices.value = [...notices.value, notice].sort((a, b) => a.id - b.id);
  else if (notice.data.room !== null || notice.data.sanction !== "ban") markSeen(); // banned everywhere, nothing can be marked
}

/** What shows by itself in the open room; each returns whether it does. */
const SHOWN = {
  sanctioned({ sanction, room, room_name: name, reason, ends_at }, isLive) {
    const isHere = room === activeId.value;
    if (sanction === "warn") return false;
    if (!isLive && ends_at && timeTo(ends_at) <= 0) return true; // over before it could be told
    if (sanction === "mute") return isHere || room === null;
    if (!isLive) return false;
    setBar(room ?? EVERYWHERE, { name, kind: sanction, reason, ends_at });
    return isHere || room === null;
  },
  unsanctioned({ sanction, room }, isLive) {
    const isHere = room === activeId.value;
    if (sanction === "kick" || sanction === "ban") {
      if (room) dropBar(room);
      reloadList();
      return isHere && isLive;
    }
    if (sanction !== "mute" || !isHere || !isLive) return false;
    say("You can write again");
    return true;
  },
  "held.approved": ({ room }) => room === activeId.value,
  "held.rejected": ({ room, client_id: clientId, reason }) => rejectHeld(clientId, reason) && room === activeId.value,
};

/** The reader has dealt with a notice: the next one shows. */
export function dismiss(notice) {
  notices.value = notices.value.filter(({ id }) => id !== notice.id);
  markSeen();
}

/** Everything before the first that has not been in sight. One that asks to be understood is seen when it is. */
function markSeen() {
  const unseen = notices.value.find(({ isSeen }) => !isSeen);
  const upTo = unseen ? unseen.id - 1 : newest;
  if (upTo <= told) return;
  told = upTo;
  rest("POST", "me/notices/seen", { body: { up_to: upTo } }).catch(() => (told = 0));
}

effect(() => {
  const [first] = notices.value;
  if (!first || first.isSeen || !isVisible.value || first.data.sanction === "warn") return;
  first.isSeen = true;
  markSeen();
});
