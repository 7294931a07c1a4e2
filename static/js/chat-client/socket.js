/** The one socket: hello, replies by ref, and coming back after every kind of loss. docs/protocol.md, 1. */

import { isFinal, reconnectDelay } from "./backoff.js";
import { Refusal, noConnection } from "./refusal.js";
import { watch } from "./watch.js";

const REPLY_MS = 15_000;
const MAX_OUTSTANDING = 48;
const CLOSING = 2;

/** Phases: "connecting", "ready", "waiting" (until `retryAt`), "stopped" (with a final `code`).
 *
 * `hello` gives the fields of each hello, a fresh ticket among them; what it throws counts as a loss.
 */
export function createSocket({ url, hello = () => null, WebSocket = globalThis.WebSocket, onPhase, onHello, onFrame }) {
  const link = { ws: null, ready: false, stopped: false, attempt: 0, retryAfter: null, bye: null, error: null, timer: null, heard: 0 };
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
    ws.onerror = () => null; // a close follows; in Node an error that nobody hears ends the program
    ws.onclose = ({ code }) => ws === link.ws && closed(code);
  }

  async function greet() {
    const { ws } = link;
    try {
      const fields = await hello();
      if (ws !== link.ws) return;
      const answer = await send("hello", fields);
      link.ready = true;
      link.attempt = 0;
      link.bye = link.error = null;
      onPhase({ phase: "ready" });
      onHello(answer);
    } catch (refusal) {
      if (ws !== link.ws) return;
      link.retryAfter = refusal.retryAfter ?? null;
      link.error = refusal;
      // Whoever is refused for good is told why by the close that follows; closing first would lose it.
      if (refusal.retry !== false) ws.close();
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
    onPhase({ phase: "waiting", retryAt: Date.now() + delay, bye: link.bye, error: link.error });
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
    if (ws && ws.readyState < CLOSING) ws.close();
  }

  const unwatch = watch({ link, connect });

  return {
    connect,
    /** For good: nothing of this client goes on. */
    close() {
      link.stopped = true;
      clearTimeout(link.timer);
      unwatch();
      abandon();
    },
    /** A new socket at once, for a new session or on the person's wish. */
    replace() {
      Object.assign(link, { stopped: false, attempt: 0, retryAfter: null });
      connect();
    },
    /** The reply's data. Throws a Refusal; without a connection at once. */
    request: (type, fields = {}) => (link.ready ? send(type, fields) : Promise.reject(noConnection())),
  };
}
