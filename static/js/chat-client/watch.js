/** Replaces a socket that looks open but is not: after silence, sleep, being offline or long hidden. */

const SILENCE_MS = 40_000;
const HIDDEN_MS = 30_000;
const CHECK_MS = 5_000;

/** `link` has the present socket in `ws` and in `heard` when it was last heard; gives the way to stop. */
export function watch({ link, connect }) {
  const page = globalThis.document;
  const ending = new AbortController();
  let hiddenAt = null;
  let checked = Date.now();
  const timer = setInterval(() => {
    const now = Date.now();
    const slept = page?.visibilityState === "visible" && now - checked > HIDDEN_MS;
    checked = now;
    if (link.ws && (slept || now - link.heard > SILENCE_MS)) connect();
  }, CHECK_MS);
  const listen = (target, type, heard) => target?.addEventListener(type, heard, { signal: ending.signal });
  if (page) {
    listen(globalThis, "online", connect);
    listen(globalThis, "offline", () => link.ws?.onclose?.({ code: 1006 }));
  }
  listen(page, "visibilitychange", () => {
    if (page.visibilityState === "hidden") hiddenAt = Date.now();
    else if (hiddenAt !== null && Date.now() - hiddenAt > HIDDEN_MS) connect();
  });
  return () => {
    clearInterval(timer);
    ending.abort();
  };
}
