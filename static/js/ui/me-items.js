/** What you may do about yourself: another name, an account, leaving. */

import { me, urls } from "../state/me.js";
import { html, useEffect, useRef } from "../vendor/preact.js";
import { Icon } from "./parts.js";

export default function MeItems() {
  const menu = useRef(null);
  useEffect(() => menu.current.querySelector(".menu__item").focus(), []);
  const item = (icon, label, href) => html`<a class="menu__item" role="menuitem" href=${href}><${Icon} name=${icon} /><span class="menu__label">${label}</span></a>`;
  return html`<div class="menu" role="menu" aria-label="You" ref=${menu}>
    ${item("edit", "Change your name", urls.name)}
    ${me.value.is_guest && item("key", "Make an account", urls.sign_up)}
    <hr class="menu__rule" />
    ${item("leave", me.value.is_guest ? "Leave as guest" : "Sign out", urls.sign_out)}
  </div>`;
}
