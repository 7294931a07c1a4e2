/** Nothing moves that the reader did not move: keeps the end in sight, or the row being read in its place. */

import { endWish, loadNewer, loadOlder } from "../state/history.js";
import { activeId, atEnd, target } from "../state/view.js";
import { useEffect, useLayoutEffect, useRef } from "../vendor/preact.js";

const NEAR_PX = 32;
const AHEAD_PX = 800;

/** `extent` is a ref to what is loaded, {loaded, atEnd}; `version` turns with the rows. */
export function useAnchoredScroll(box, { extent, version }) {
  const held = useRef({ anchor: null, wish: 0, room: null });
  const wish = endWish.value;

  useLayoutEffect(() => {
    const element = box.current;
    const state = held.current;
    if (state.room !== activeId.value) Object.assign(state, { room: activeId.value, anchor: null, top: 0 });
    if (state.wish !== wish) {
      state.wish = wish;
      state.top = 0;
      atEnd.value = true;
    }
    settle(element, state);
  });

  // A link's message is brought into sight once it is there.
  useLayoutEffect(() => {
    const row = target.value && document.getElementById(`m-${target.value}`);
    if (!row) return;
    row.scrollIntoView({ block: "center" });
    held.current.anchor = anchorOf(box.current);
  }, [target.value, version === 0]);

  useEffect(() => {
    const element = box.current;
    const state = held.current;
    const onScroll = () => {
      if (!extent.current.loaded) return;
      atEnd.value = extent.current.atEnd && lowest(element) - element.scrollTop <= NEAR_PX;
      state.anchor = atEnd.value ? null : anchorOf(element);
      state.top = element.scrollTop;
      readAhead(element);
    };
    const observer = new ResizeObserver(() => settle(element, state));
    observer.observe(element);
    observer.observe(element.firstElementChild);
    element.addEventListener("scroll", onScroll, { passive: true });
    onScroll();
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", onScroll);
    };
  }, []);

  // A short page leaves nothing to scroll: ask for more until the sheet is full.
  useEffect(() => readAhead(box.current), [version]);
}

const lowest = (element) => element.scrollHeight - element.clientHeight;

function readAhead(element) {
  if (element.scrollTop < AHEAD_PX) loadOlder();
  if (lowest(element) - element.scrollTop < AHEAD_PX) loadNewer();
}

function settle(element, state) {
  if (atEnd.peek()) {
    // The reader has scrolled up; the event is still to come.
    if (element.scrollTop < Math.min(state.top, lowest(element)) - NEAR_PX) return;
    element.scrollTop = element.scrollHeight;
    state.top = element.scrollTop;
  } else if (state.anchor?.row.isConnected) {
    const shift = state.anchor.row.getBoundingClientRect().top - element.getBoundingClientRect().top - state.anchor.offset;
    if (Math.abs(shift) >= 1) element.scrollTop += shift;
  } else {
    state.anchor = anchorOf(element);
  }
}

/** The first row in sight and how far below the upper edge it stands. */
function anchorOf(element) {
  const top = element.getBoundingClientRect().top;
  for (const row of element.querySelectorAll("article[id]")) {
    const box = row.getBoundingClientRect();
    if (box.bottom > top) return { row, offset: box.top - top };
  }
  return null;
}
