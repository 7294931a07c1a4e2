/** One line above the foot for 6 s, longer while it is looked at. */

import { toast } from "../state/view.js";
import { html, useEffect, useState } from "../vendor/preact.js";
import { Icon } from "./parts.js";

const SHOWN_MS = 6_000;

export default function Toast() {
  const [isHeld, setHeld] = useState(false);
  const shown = toast.value;
  useEffect(() => {
    if (!shown || isHeld) return undefined;
    const timer = setTimeout(() => (toast.value = null), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [shown, isHeld]);
  const run = () => {
    toast.value = null;
    setHeld(false);
    shown.act.run();
  };
  const hold = { onPointerEnter: () => setHeld(true), onPointerLeave: () => setHeld(false), onFocusIn: () => setHeld(true), onFocusOut: () => setHeld(false) };
  return html`<div class="toast-place" role="status">
    ${shown && html`<div class="toast" ...${hold}>
      ${shown.icon && html`<${Icon} name=${shown.icon} />`}<span class="toast__text">${shown.text}</span>
      ${shown.act && html`<button class="toast__act" type="button" onClick=${run}>${shown.act.label}</button>`}
    </div>`}
  </div>`;
}
