/** A long press, which on touch opens what a pointer finds by hovering. */

import { useRef } from "../vendor/preact.js";

const PRESS_MS = 450;
const SLIP_PX = 10;

/** Handlers for an element; `run` gets the element pressed. */
export function useLongPress(run) {
  const press = useRef(null);
  const stop = () => {
    clearTimeout(press.current?.timer);
    press.current = null;
  };
  return {
    onPointerDown(event) {
      if (event.pointerType !== "touch" || event.target.closest("a, button")) return;
      const { target, clientX: x, clientY: y } = event;
      stop();
      press.current = { x, y, timer: setTimeout(() => (stop(), swallowClick(), run(target)), PRESS_MS) };
    },
    onPointerMove(event) {
      const from = press.current;
      if (from && Math.hypot(event.clientX - from.x, event.clientY - from.y) > SLIP_PX) stop();
    },
    onPointerUp: stop,
    onPointerCancel: stop,
    onContextMenu(event) {
      if (press.current) event.preventDefault();
    },
  };
}

/** The finger that pressed will be lifted over what the press opened: that is no choice. */
function swallowClick() {
  const swallow = (event) => {
    event.preventDefault();
    event.stopPropagation();
  };
  document.addEventListener("click", swallow, { capture: true });
  const done = () => document.removeEventListener("click", swallow, { capture: true });
  document.addEventListener("pointerup", () => setTimeout(done, 50), { once: true });
}
