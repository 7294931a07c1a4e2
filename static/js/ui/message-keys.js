/** Keys in the messages: arrows move, Enter opens the actions, letters act, Escape leads to the box. */

import { copyText, rightsOn, startReply } from "../state/changes.js";
import { focusBox } from "../state/view.js";
import { openMenu } from "./message-tools.js";

/** The key handler of the list in `box`; `find` gives the row an element belongs to. */
export function useMessageKeys(box, find) {
  return (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("button, .menu")) return;
    const rows = [...box.current.querySelectorAll("article[id]")];
    const at = rows.indexOf(event.target.closest("article"));
    const row = find(event.target);
    const to = {
      ArrowUp: at < 0 ? rows.length - 1 : at - 1,
      ArrowDown: at < 0 ? rows.length - 1 : at + 1,
      Home: 0,
      End: rows.length - 1,
    }[event.key];
    if (to !== undefined) rows[Math.max(0, Math.min(rows.length - 1, to))]?.focus();
    else if (event.key === "Escape") focusBox();
    else if (!row?.message?.id || !act(event.key, row.message, event.target)) return;
    event.preventDefault();
  };
}

function act(key, message, element) {
  const rights = rightsOn(message);
  if (key === "Enter" && !element.closest("a")) openMenu(message, element.getBoundingClientRect());
  else if (key.toLowerCase() === "r" && rights.reply) startReply(message);
  else if (key.toLowerCase() === "c" && !message.deleted_at) copyText(message);
  else return false;
  return true;
}
