/** The bar over a message's upper end, and the menu behind "more": for a pointer beside it, for touch from the foot. */

import { copyLink, copyText, remove, restore, rightsOn, startEdit, startReply } from "../state/changes.js";
import { hot, menu } from "../state/view.js";
import { html, useEffect, useLayoutEffect, useRef } from "../vendor/preact.js";
import { Icon, IconButton, join } from "./parts.js";

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
  menu.value = { message, box, from: document.activeElement };
}

export function closeMenu() {
  const { from } = menu.value ?? {};
  menu.value = null;
  if (from?.isConnected) from.focus();
}

export function MessageMenu() {
  const open = menu.value;
  const list = useRef(null);
  useLayoutEffect(() => {
    if (!open) return;
    if (open.box) place(list.current, open.box);
    (open.box ? list.current.querySelector("button") : list.current).focus();
  }, [open]);
  useEffect(() => {
    if (!open) return undefined;
    const away = (event) => list.current?.contains(event.target) || closeMenu();
    const escape = (event) => event.key === "Escape" && closeMenu();
    document.addEventListener("pointerdown", away);
    document.addEventListener("keydown", escape);
    return () => {
      document.removeEventListener("pointerdown", away);
      document.removeEventListener("keydown", escape);
    };
  }, [open]);
  if (!open) return null;

  const items = html`<div ref=${list} class=${join("menu", open.box ? "menu--floats" : "menu--sheet")} role="menu" tabindex="-1" aria-label=${`Message by ${open.message.author.display_name}`} onKeyDown=${move}>
    <${Items} message=${open.message} />
  </div>`;
  return open.box ? items : html`<div class="veil">${items}</div>`;
}

function Items({ message }) {
  const rights = rightsOn(message);
  const item = (icon, label, { key = null, run, danger = false, turns = false }) => html`
    <button class=${join("menu__item", danger && "menu__item--danger")} type="button" role="menuitem" onClick=${() => (closeMenu(), run(message))}>
      <${Icon} name=${icon} extra=${turns ? "icon--turns" : ""} /><span class="menu__label">${label}</span>${key && html`<span class="key" aria-hidden="true">${key}</span>`}
    </button>`;
  return html`
    ${rights.reply && item("reply", "Reply", { key: "R", run: startReply, turns: true })}
    ${rights.edit && item("edit", "Edit", { key: "↑", run: startEdit })}
    ${!message.deleted_at && item("copy", "Copy text", { key: "C", run: copyText })}
    ${item("link", "Copy link", { run: copyLink })}
    ${rights.restore && item("undo", "Restore", { run: restore, turns: true })}
    ${rights.remove && html`<hr class="menu__rule" />`}
    ${rights.remove && item("trash", rights.own ? "Delete" : "Remove message", { run: remove, danger: true })}`;
}

function place(element, box) {
  const { width, height } = element.getBoundingClientRect();
  const below = box.bottom + 4;
  const top = below + height > innerHeight - 8 ? Math.max(8, box.top - height - 4) : below;
  element.style.top = `${top}px`;
  element.style.left = `${Math.max(8, Math.min(box.right - width, innerWidth - width - 8))}px`;
}

function move(event) {
  const items = [...event.currentTarget.querySelectorAll("button")];
  const at = items.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  if (event.key === "Escape" || event.key === "Tab") closeMenu();
  else if (to === undefined) return;
  else items[(to + items.length) % items.length].focus();
  event.preventDefault();
  event.stopPropagation();
}

/** A pointer or the focus came to a message. */
export function warm(key) {
  if (hot.value !== key) hot.value = key;
}
