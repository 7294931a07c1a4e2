/** Keys that work anywhere: F6 goes round the parts, Ctrl K finds a room, Alt with arrows changes it. */

import { neighbour, openRoom } from "../state/navigate.js";

const PARTS = ["#find-room", ".room__bar button", ".notices button", ".messages", ".banner button", "#write", ".pane__title"];

export function listenForKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.key === "F6") {
      event.preventDefault();
      nextPart(event.shiftKey ? -1 : 1);
    } else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      document.getElementById("find-room")?.focus();
    } else if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
      event.preventDefault();
      const room = neighbour(event.key === "ArrowUp" ? -1 : 1, { unread: event.shiftKey });
      if (room) openRoom(room);
    }
  });
}

function nextPart(step) {
  const parts = PARTS.map((selector) => document.querySelector(selector)).filter((element) => element?.offsetParent);
  const at = parts.findIndex((element) => element.contains(document.activeElement) || near(element));
  parts[(at + step + parts.length) % parts.length]?.focus();
}

/** Whether the focus lies in the same part of the page as an element. */
function near(element) {
  const part = element.closest(".rooms, .room__bar, .notices, .messages, .banner, .composer, .pane");
  return Boolean(part?.contains(document.activeElement));
}
