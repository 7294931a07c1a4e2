/** The menus of a message and of a person: for a pointer beside it, for touch from the foot. */

import { isolated } from "../lib/text.js";
import { copyLink, copyText, remove, restore, rightsOn, startEdit, startReply } from "../state/changes.js";
import { dialog, menu } from "../state/view.js";
import { html, useEffect, useLayoutEffect, useRef } from "../vendor/preact.js";
import { Icon, join } from "./parts.js";
import { personItems } from "./person-items.js";

function closeMenu() {
  const { from } = menu.value ?? {};
  menu.value = null;
  if (from?.isConnected) from.focus();
}

export default function Menus() {
  const open = menu.value;
  const list = useRef(null);
  useLayoutEffect(() => {
    if (open.box) place(list.current, open.box);
    (open.box ? list.current.querySelector("button") : list.current)?.focus();
  }, [open]);
  useEffect(() => {
    const away = (event) => list.current?.contains(event.target) || closeMenu();
    const escape = (event) => event.key === "Escape" && closeMenu();
    document.addEventListener("pointerdown", away);
    document.addEventListener("keydown", escape);
    return () => {
      document.removeEventListener("pointerdown", away);
      document.removeEventListener("keydown", escape);
    };
  }, [open]);

  const person = open.user ?? open.message.author;
  const name = open.user ? person.display_name : `Message by ${isolated(person.display_name)}`;
  const items = open.user ? personItems(open.user) : messageItems(open);
  const shown = html`<div ref=${list} class=${join("menu", open.box ? "menu--floats" : "menu--sheet")} role="menu" tabindex="-1" aria-label=${name} onKeyDown=${move}>
    ${open.user && html`<p class="menu__head" dir="auto" aria-hidden="true">${name}</p>`}
    ${items.filter(Boolean).map((item) => html`<${Item} key=${item.label ?? item} ...${item} />`)}
  </div>`;
  return html`<section class=${open.box ? "menu-place" : "veil"} aria-label="Actions">${shown}</section>`;
}

const RULE = { rule: true };

/** In order; what is refused to the reader is left out, and what takes away is last, after a rule. */
function messageItems({ message, box }) {
  const rights = rightsOn(message);
  const { author } = message;
  const ask = (kind, about) => () => (dialog.value = { kind, ...about });
  return [
    rights.reply && { icon: "reply", label: "Reply", hint: "R", run: () => startReply(message), turns: true },
    rights.edit && { icon: "edit", label: "Edit", hint: "↑", run: () => startEdit(message) },
    !message.deleted_at && { icon: "copy", label: "Copy text", hint: "C", run: () => copyText(message) },
    { icon: "link", label: "Copy link", run: () => copyLink(message) },
    rights.restore && { icon: "undo", label: "Restore", run: () => restore(message), turns: true },
    rights.report && { icon: "flag", label: "Report", run: ask("report", { message }) },
    !rights.own && { icon: "people", label: "About the author", run: () => (menu.value = { user: author, box, from: document.activeElement }) },
    (rights.remove || rights.sanction) && RULE,
    rights.remove && { icon: "trash", label: rights.own ? "Delete" : "Remove message", run: rights.own ? () => remove(message) : ask("remove", { message }), danger: true },
    rights.sanction && { icon: "clock", label: "Mute the author", run: ask("mute", { user: author }), danger: true },
    rights.sanction && { icon: "ban", label: "Ban the author", run: ask("ban", { user: author }), danger: true },
  ];
}

function Item({ rule = false, icon, label, hint = null, run, danger = false, turns = false }) {
  if (rule) return html`<hr class="menu__rule" />`;
  const choose = () => {
    closeMenu();
    run();
  };
  return html`<button class=${join("menu__item", danger && "menu__item--danger")} type="button" role="menuitem" onClick=${choose}>
    <${Icon} name=${icon} extra=${turns ? "icon--turns" : ""} /><span class="menu__label">${label}</span>${hint && html`<span class="key" aria-hidden="true">${hint}</span>`}
  </button>`;
}

/** Beside the box, at its end: the right in a page that runs left to right. */
function place(element, box) {
  const { width, height } = element.getBoundingClientRect();
  const below = box.bottom + 4;
  const top = below + height > innerHeight - 8 ? Math.max(8, box.top - height - 4) : below;
  const isWide = box.width > width;
  const isRtl = getComputedStyle(element).direction === "rtl";
  const left = isWide === isRtl ? box.left : box.right - width;
  element.style.top = `${Math.min(top, Math.max(8, innerHeight - height - 8))}px`;
  element.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
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
