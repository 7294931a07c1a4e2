/** What of the page is shown: list, room or details; what is answered or edited; the open menu; the toast. */

import { computed, signal } from "../vendor/preact.js";

import { boot, isPhone } from "./me.js";

/** The id of the open room, or null. */
export const activeId = signal(boot.room ? boot.room.id : null);
/** On a phone: "list", "room". Wider windows show both. */
export const showing = signal(boot.showing ?? (location.pathname === "/" ? "list" : "room"));
export const paneOpen = signal(false);
/** {kind: "reply" | "edit", message} or null. */
export const about = signal(null);
/** {message, place: "sheet" | {x, y}} or null. */
export const menu = signal(null);
/** The message under the pointer or with the focus, by key. */
export const hot = signal(null);
/** The seq reached by a link, until the next click. */
export const target = signal(boot.focus_seq ?? null);
/** Whether the reader stands at the end of the open room. */
export const atEnd = signal(true);
export const isVisible = signal(document.visibilityState === "visible");
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
