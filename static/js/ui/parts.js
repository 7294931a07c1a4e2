/** The smallest parts: icons, beads, tiles, the drawing of an empty place. */

import { beadClass, firstLetter, initials, tileClass } from "../lib/people.js";
import { html } from "../vendor/preact.js";

/** An icon of the page's sprite. `extra` holds further classes, such as icon--turns. */
export function Icon({ name, extra = "" }) {
  return html`<svg class=${extra ? `icon ${extra}` : "icon"} aria-hidden="true"><use href=${`#i-${name}`} /></svg>`;
}

/** A person. */
export function Bead({ user, extra = "", children = null }) {
  return html`<span class=${join(beadClass(user), extra)} aria-hidden="true">${initials(user)}${children}</span>`;
}

/** A room. */
export function Tile({ room, extra = "" }) {
  return html`<span class=${join(tileClass(room), extra)} aria-hidden="true">${firstLetter(room.name)}</span>`;
}

/** What a room is, beside its name; nothing for a public one. */
export function RoomSign({ room }) {
  const name = { private: "lock", announcement: "news" }[room.kind];
  return name ? html`<${Icon} name=${name} extra="icon--small" />` : null;
}

/** A button that is only an icon. */
export function IconButton({ icon, label, extra = "", turns = false, ...rest }) {
  return html`<button class=${join("icon-button", extra)} type="button" aria-label=${label} ...${rest}>
    <${Icon} name=${icon} extra=${turns ? "icon--turns" : ""} />
  </button>`;
}

export function join(...classes) {
  return classes.filter(Boolean).join(" ");
}

const ART = {
  nobody: html`<path d="M56 0v28" /><path d="M56 84v28" stroke-dasharray="0.1 7" /><g class="empty__shape" stroke="currentColor"><circle cx="56" cy="56" r="22" stroke-dasharray="7.5 6.3" /><path d="M56 48v16M48 56h16" /></g>`,
  broken: html`<path d="M56 0v38M56 74v38" /><g class="empty__shape" stroke="currentColor"><circle cx="82" cy="63" r="15" /><path d="M56 56h.1M61 57.5h.1" stroke-width="3" /></g>`,
  closed: html`<path d="M56 0v28" /><g class="empty__shape" stroke="currentColor"><rect x="36" y="50" width="40" height="32" rx="6" /><path d="M46 50v-8a10 10 0 0 1 20 0v8M56 63v6" /></g>`,
};

/** Empty, broken, closed: one drawing, one sentence, at most one way on. */
export function Empty({ art, title, text, role = null, children = null }) {
  return html`<div class="empty" role=${role}>
    <svg class="empty__art" viewBox="0 0 112 112" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${ART[art]}</svg>
    <h2 class="empty__title">${title}</h2>
    <p class="empty__text">${text}</p>
    ${children && html`<div class="empty__act">${children}</div>`}
  </div>`;
}
