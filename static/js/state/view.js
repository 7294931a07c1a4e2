/** What is shown: list, room or details; what is answered or edited; menu and toast. */

import { computed, signal } from "../vendor/preact.js";

import { boot, isPhone } from "./me.js";

/** The id of the open room, or null. */
export const activeId = signal(boot.room ? boot.room.id : null);
/** On a phone: "list", "room". Wider windows show both. */
export const showing = signal(boot.showing ?? (location.pathname === "/" ? "list" : "room"));
export const paneOpen = signal(false);
/** Whether the pane shows what waits for a moderator in place of the details. */
export const deskOpen = signal(false);
/** {kind: "reply" | "edit", message} or null. */
export const about = signal(null);
/** {message or user, box, from} or null: beside a box of the page, or a sheet where `box` is null. */
export const menu = signal(null);
/** The question that is asked, {kind, …}, or null; see ui/dialogs.js. */
export const dialog = signal(null);
/** What waits for a moderator, by room id: {held, reports, more}. */
export const waiting = signal({});
/** The rooms that a kick or a ban has closed to the reader: {name, kind, reason, ends_at} by room id. */
export const bars = signal({});
/** What is told to the reader in person, the oldest first. */
export const notices = signal([]);
/** The message under the pointer or with the focus, by key. */
export const hot = signal(null);
/** The seq reached by a link, until the next click. */
export const target = signal(boot.focus_seq ?? null);
/** Whether the reader stands at the end of the open room. */
export const atEnd = signal(true);
export const isVisible = signal(document.visibilityState === "visible");
/** How many messages of others came while the connection was lost, for as long as it is told; else null. */
export const arrived = signal(null);
/** {text, act?: {label, run}, icon?} or null; one at a time. */
export const toast = signal(null);

document.addEventListener("visibilitychange", () => (isVisible.value = document.visibilityState === "visible"));

/** Whether the open room's words can be seen now. */
export const roomIsSeen = computed(
  () => isVisible.value && activeId.value !== null && (!isPhone.value || (showing.value === "room" && !paneOpen.value)),
);

/** Shows a toast; a later one takes its place. */
export function say(text, { act = null, icon = null } = {}) {
  toast.value = { text, act, icon };
}

/** Moves the focus to the message box. */
export function focusBox() {
  document.getElementById("write")?.focus();
}
