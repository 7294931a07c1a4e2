/** Messages on their way: one in flight a room, the same `client_id` on every try. */

import { reconnectDelay } from "./backoff.js";

const SOONEST_MS = 300;

export function memoryStore() {
  const items = new Map();
  return {
    list: () => [...items.values()],
    put: (item) => items.set(item.client_id, item),
    remove: (clientId) => items.delete(clientId),
    lock: (_room, work) => work(),
    watch: () => null,
  };
}

/** Keeps what waits in localStorage, each under its own key: no tab overwrites another's, and one sends at a time. */
export function webStore(prefix) {
  const locks = navigator.locks ?? { request: (_, work) => work() };
  const isOurs = (key) => key.startsWith(prefix());
  return {
    list: () => Object.keys(localStorage).filter(isOurs).map((key) => JSON.parse(localStorage.getItem(key))),
    put: (item) => localStorage.setItem(prefix() + item.client_id, JSON.stringify(item)),
    remove: (clientId) => localStorage.removeItem(prefix() + clientId),
    lock: (room, work) => locks.request(prefix() + room, work),
    watch: (changed) => addEventListener("storage", ({ key }) => key && isOurs(key) && changed()),
  };
}

/** Items are kept until the server has them; options and shapes: index.d.ts. */
export function createOutbox(client, options = {}) {
  const { store = memoryStore(), maySend = () => true, onChange = () => null, onSent = () => null, onRefused = () => null } = options;
  const sending = new Set();
  const tries = new Map();
  const timers = new Map();
  let items = [];

  function show(next) {
    items = next.sort((a, b) => a.order - b.order);
    onChange(items);
  }

  function keep(item) {
    store.put(item);
    show([...items.filter((other) => other.client_id !== item.client_id), item]);
  }

  function discard(clientId) {
    store.remove(clientId);
    show(items.filter((item) => item.client_id !== clientId));
  }

  const next = (room) => items.find((item) => item.room === room && item.state === "pending");
  const reread = () => show(store.list());

  /** Sends what waits in a room, in order, until nothing waits or something has to wait longer. */
  async function flush(room) {
    if (sending.has(room) || !maySend()) return;
    sending.add(room);
    clearTimeout(timers.get(room));
    let isDone = false;
    try {
      isDone = await store.lock(room, () => drain(room));
    } finally {
      sending.delete(room);
    }
    // Written while the lock was being let go.
    if (isDone && next(room)) flush(room);
  }

  /** Whether nothing of the room waits any more. */
  async function drain(room) {
    reread();
    for (let item = next(room); item; item = next(room)) {
      try {
        const { client_id, body, reply_to } = item;
        const reply = await client.request("message.post", { room, client_id, body, reply_to });
        tries.delete(room);
        onSent(item, reply);
        discard(item.client_id);
      } catch (refusal) {
        onRefused(item, refusal);
        if (refusal.code === "unauthenticated") return false;
        if (refusal.retry) {
          wait(room, refusal);
          return false;
        }
        keep({ ...item, state: "failed", code: refusal.code });
      }
    }
    return true;
  }

  /** Without a connection the next hello sends it; else it goes again after the wait the server named. */
  function wait(room, refusal) {
    const attempt = tries.get(room) ?? 0;
    tries.set(room, attempt + 1);
    timers.set(room, setTimeout(flush, Math.max(SOONEST_MS, reconnectDelay(attempt, refusal.retryAfter)), room));
  }

  function flushAll() {
    reread();
    for (const room of new Set(items.map((item) => item.room))) flush(room);
  }

  client.on("hello", flushAll);
  client.on("close", () => timers.forEach(clearTimeout));
  store.watch(reread);
  reread();
  return {
    reread,
    discard,
    /** Puts a message on its way; the item. */
    post(room, { body, reply_to = null }) {
      const item = { client_id: uuid(), room, body, reply_to, at: new Date().toISOString(), order: Date.now(), state: "pending" };
      keep(item);
      flush(room);
      return item;
    },
    /** One that failed goes once more, at its place in the order. */
    sendAgain(clientId) {
      const item = items.find((other) => other.client_id === clientId);
      if (!item) return;
      keep({ ...item, state: "pending", code: null });
      flush(item.room);
    },
  };
}

/** A random UUID, also on plain HTTP hosts where `crypto.randomUUID` does not exist. */
function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
