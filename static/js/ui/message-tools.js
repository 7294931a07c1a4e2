/** The bar over a message's upper end; the menus behind it are menus.js. */

import { copyLink, rightsOn, startEdit, startReply } from "../state/changes.js";
import { hot, menu } from "../state/view.js";
import { html } from "../vendor/preact.js";
import { Menus } from "./later.js";
import { IconButton } from "./parts.js";

export function MessageTools({ message }) {
  const rights = rightsOn(message);
  const more = (event) => openMenu(message, event.currentTarget.getBoundingClientRect());
  return html`<div class="message__tools" role="group" aria-label="Message actions">
    ${rights.reply && html`<${IconButton} icon="reply" label="Reply" turns onClick=${() => startReply(message)} />`}
    ${rights.edit && html`<${IconButton} icon="edit" label="Edit" onClick=${() => startEdit(message)} />`}
    <${IconButton} icon="link" label="Copy link" onClick=${() => copyLink(message)} />
    <${IconButton} icon="more" label="More actions" aria-haspopup="menu" onClick=${more} />
  </div>`;
}

/** Opens the menu of a message beside a box of the page, or as a sheet where `box` is null. */
export function openMenu(message, box = null) {
  menu.value = { message, box, from: opener() };
}

/** As openMenu, of a person. */
export function openPerson(user, box = null) {
  menu.value = { user, box, from: opener() };
}

/** Where the focus goes back to: the message, whose buttons come and go. */
function opener() {
  return document.activeElement.closest("article") ?? document.activeElement;
}

/** A pointer or the focus came to a message. */
export function warm(key) {
  if (hot.value === key) return;
  hot.value = key;
  Menus.load();
}
