/** The one socket: hello, replies by ref, and coming back after every kind of loss. docs/protocol.md, 1. */

import { isFinal, reconnectDelay } from "../lib/backoff.js";
import { Refusal, noConnection } from "../lib/refusal.js";

const SILENCE_MS = 40_000;
const HIDDEN_MS = 30_000;
const REPLY_MS = 15_000;
const MAX_OUTSTANDING = 48;
const CHECK_MS = 5_000;

/** Phases: "connecting", "ready", "waiting" (until `retryAt`), "stopped" (with a final `code`). */
export function createSocket({ url, onPhase, onHello, onFrame }) {
  const link = { ws: null, ready: false, stopped: false, attempt: 0, retryAfter: null, bye: null, timer: null, heard: 0 };
  const waiting = new Map();
  const queue = [];
  let nextRef = 0;

  function connect() {
    if (link.stopped) return;
    clearTimeout(link.timer);
    abandon();
    onPhase({ phase: "connecting", bye: link.bye });
    const ws = new WebSocket(url, "chat.v1");
    link.ws = ws;
    link.heard = Date.now();
    ws.onopen = () => ws === link.ws && greet();
    ws.onmessage = ({ data }) => ws === link.ws && hear(JSON.parse(data));
    ws.onclose = ({ code }) => ws === link.ws && closed(code);
  }

  async function greet() {
    try {
      const hello = await send("hello", { client: "web" });
      link.ready = true;
      link.attempt = 0;
      link.bye = null;
      onPhase({ phase: "ready" });
      onHello(hello);
    } catch (refusal) {
      link.retryAfter = refusal.retryAfter ?? null;
      // Whoever is refused for good is told why by the close that follows; closing first would lose it.
      if (refusal.retry) link.ws?.close();
    }
  }

  function hear(frame) {
    link.heard = Date.now();
    if (frame.type === "reply") return settle(frame);
    if (frame.type === "bye") {
      link.bye = frame;
      link.retryAfter = frame.retry_after ?? null;
      return undefined;
    }
    return onFrame(frame);
  }

  function settle({ ref, ok, data, error }) {
    const asked = waiting.get(ref);
    if (!asked) return;
    waiting.delete(ref);
    clearTimeout(asked.timer);
    if (ok) asked.resolve(data ?? {});
    else asked.reject(new Refusal(error));
    while (queue.length && waiting.size < MAX_OUTSTANDING) queue.shift()();
  }

  function send(type, fields) {
    return new Promise((resolve, reject) => {
      const go = () => {
        const ref = String(++nextRef);
        const timer = setTimeout(() => settle({ ref, ok: false, error: { code: "unavailable", retry: true } }), REPLY_MS);
        waiting.set(ref, { resolve, reject, timer });
        link.ws.send(JSON.stringify({ type, ref, ...fields }));
      };
      if (waiting.size < MAX_OUTSTANDING) go();
      else queue.push(Object.assign(go, { reject }));
    });
  }

  function closed(code) {
    const final = isFinal(code);
    abandon();
    if (final) {
      link.stopped = true;
      onPhase({ phase: "stopped", code, bye: link.bye });
      return;
    }
    const delay = reconnectDelay(link.attempt, link.retryAfter);
    link.attempt += 1;
    link.retryAfter = null;
    link.timer = setTimeout(connect, delay);
    onPhase({ phase: "waiting", retryAt: Date.now() + delay, bye: link.bye });
  }

  /** Lets go of the present socket. What was asked on it is answered: no connection. */
  function abandon() {
    const { ws } = link;
    link.ws = null;
    link.ready = false;
    for (const go of queue.splice(0)) go.reject(noConnection());
    for (const asked of waiting.values()) {
      clearTimeout(asked.timer);
      asked.reject(noConnection());
    }
    waiting.clear();
    if (ws && ws.readyState < WebSocket.CLOSING) ws.close();
  }

  watch({ link, connect });

  return {
    connect,
    /** A new socket at once, for a new session or on the person's wish. */
    replace() {
      Object.assign(link, { stopped: false, attempt: 0, retryAfter: null });
      connect();
    },
    /** The reply's data. Throws a Refusal; without a connection at once. */
    request: (type, fields = {}) => (link.ready ? send(type, fields) : Promise.reject(noConnection())),
  };
}

/** Replaces a socket that looks open but is not: after silence, sleep, being offline or long hidden. */
function watch({ link, connect }) {
  let hiddenAt = null;
  let checked = Date.now();
  setInterval(() => {
    const now = Date.now();
    const slept = document.visibilityState === "visible" && now - checked > HIDDEN_MS;
    checked = now;
    if (link.ws && (slept || now - link.heard > SILENCE_MS)) connect();
  }, CHECK_MS);
  addEventListener("online", connect);
  addEventListener("offline", () => link.ws?.onclose?.({ code: 1006 }));
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") hiddenAt = Date.now();
    else if (hiddenAt !== null && Date.now() - hiddenAt > HIDDEN_MS) connect();
  });
}
