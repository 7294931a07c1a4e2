/** What you may do about yourself: another name, an account, leaving. */

import { me, urls } from "../state/me.js";
import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { Icon, IconButton } from "./parts.js";

export function MeMenu() {
  const [isOpen, setOpen] = useState(false);
  const box = useRef(null);
  useEffect(() => {
    if (!isOpen) return undefined;
    box.current.querySelector(".menu__item").focus();
    const away = (event) => box.current?.contains(event.target) || setOpen(false);
    document.addEventListener("pointerdown", away);
    return () => document.removeEventListener("pointerdown", away);
  }, [isOpen]);
  const onKeyDown = (event) => {
    if (event.key !== "Escape" || !isOpen) return;
    setOpen(false);
    box.current.querySelector("button").focus();
  };
  const item = (icon, label, href) => html`<a class="menu__item" role="menuitem" href=${href}><${Icon} name=${icon} /><span class="menu__label">${label}</span></a>`;
  return html`<div class="rooms__me-menu" ref=${box} onKeyDown=${onKeyDown}>
    <${IconButton} icon="sliders" label="You" aria-haspopup="menu" aria-expanded=${isOpen ? "true" : "false"} onClick=${() => setOpen(!isOpen)} />
    ${isOpen && html`<div class="menu" role="menu" aria-label="You">
      ${item("edit", "Change your name", urls.name)}
      ${me.value.is_guest && item("key", "Make an account", urls.sign_up)}
      <hr class="menu__rule" />
      ${item("leave", me.value.is_guest ? "Leave as guest" : "Sign out", urls.sign_out)}
    </div>`}
  </div>`;
}
