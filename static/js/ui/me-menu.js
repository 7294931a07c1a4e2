/** The way to what you may do about yourself. */

import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { MeItems } from "./later.js";
import { IconButton } from "./parts.js";

export function MeMenu() {
  const [isOpen, setOpen] = useState(false);
  const box = useRef(null);
  useEffect(() => {
    if (!isOpen) return undefined;
    const away = (event) => box.current?.contains(event.target) || setOpen(false);
    document.addEventListener("pointerdown", away);
    return () => document.removeEventListener("pointerdown", away);
  }, [isOpen]);
  const onKeyDown = (event) => {
    if (event.key !== "Escape" || !isOpen) return;
    setOpen(false);
    box.current.querySelector("button").focus();
  };
  return html`<div class="rooms__me-menu" ref=${box} onKeyDown=${onKeyDown}>
    <${IconButton} icon="sliders" label="You" aria-haspopup="menu" aria-expanded=${isOpen ? "true" : "false"} onClick=${() => setOpen(!isOpen)} />
    ${isOpen && html`<${MeItems} />`}
  </div>`;
}
