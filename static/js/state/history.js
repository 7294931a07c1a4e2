/** Older and newer pages of the open room, and going to a message or to the end. */

import { appendPage, prependPage } from "../lib/reduce.js";
import { rest } from "../net/rest.js";
import { signal } from "../vendor/preact.js";
import { PAGE, reload } from "./feed.js";
import { view } from "./rooms.js";
import { activeId, atEnd, say, target } from "./view.js";

/** "before", "after", "fresh" or null: what is being read. */
export const loading = signal(null);
/** Why the last read failed, for the empty room only. */
export const failed = signal(false);
/** Counts the wishes to stand at the end; the list obeys each once. */
export const endWish = signal(0);

export const loadOlder = () => loadPage("before");
export const loadNewer = () => loadPage("after");

async function loadPage(side) {
  const id = activeId.value;
  const state = view(id).value;
  const older = side === "before";
  if (loading.value || !state.loaded || (older ? state.atStart : state.atEnd) || !state.entries.length) return;
  loading.value = side;
  const edge = older ? state.entries[0] : state.entries[state.entries.length - 1];
  try {
    const page = await rest("GET", `rooms/${id}/messages`, { query: { [side]: edge.message.seq, limit: PAGE } });
    const ended = page.results.length < PAGE;
    const current = view(id);
    // A snapshot may have taken the place of what this page belongs to.
    if (page.epoch !== current.value.epoch || !current.value.entries.includes(edge)) return;
    if (older) current.value = prependPage(current.value, page, { atStart: ended });
    else current.value = appendPage(current.value, page, { atEnd: ended });
  } catch {
    say("Older messages did not arrive", { act: { label: "Try again", run: () => loadPage(side) } });
  } finally {
    loading.value = null;
  }
}

/** Loads a room that has only been followed so far. */
export async function loadRoom(id, { around = null } = {}) {
  failed.value = false;
  loading.value = "fresh";
  try {
    await reload(id, { around });
  } catch {
    failed.value = true;
  } finally {
    loading.value = null;
  }
}

/** Shows the message with this seq, reading the page around it where it is not loaded. */
export async function goTo(seq) {
  const id = activeId.value;
  const isLoaded = view(id).value.entries.some((entry) => entry.message.seq === seq);
  atEnd.value = false;
  if (!isLoaded) await loadRoom(id, { around: seq });
  target.value = null;
  target.value = seq;
  document.getElementById(`m-${seq}`)?.scrollIntoView({ block: "center" });
}

/** To the newest message. */
export async function goToEnd() {
  const id = activeId.value;
  if (!view(id).value.atEnd) await loadRoom(id);
  endWish.value += 1;
}
