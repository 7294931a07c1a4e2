/** The client of the chat: one socket that comes back, rooms that are followed without gaps, typed frames.
 * Types: index.d.ts. Guide: docs/client.md.
 */

import { createFollower } from "./follow.js";
import { createSocket } from "./socket.js";

export { createLog } from "./follow.js";
export { createOutbox, memoryStore, webStore } from "./outbox.js";
export { Refusal } from "./refusal.js";

export function createClient({ url, hello, WebSocket }) {
  const handlers = new Map();
  const tell = (type, what) => {
    for (const handler of handlers.get(type) ?? []) handler(what);
  };
  const socket = createSocket({
    url,
    hello,
    WebSocket,
    onPhase: (phase) => tell("phase", phase),
    onHello(answer) {
      follower.reset();
      tell("hello", answer);
      follower.resume();
    },
    onFrame(frame) {
      follower.hear(frame);
      tell(frame.type, frame);
    },
  });
  const follower = createFollower(socket.request);
  return {
    connect: socket.connect,
    reconnect: socket.replace,
    request: socket.request,
    follow: follower.follow,
    unfollow: follower.unfollow,
    close() {
      socket.close();
      tell("close");
    },
    /** Calls `handler` for "phase", "hello", "close" and every type of frame; gives the way to stop. */
    on(type, handler) {
      const known = handlers.get(type) ?? new Set();
      handlers.set(type, known.add(handler));
      return () => known.delete(handler);
    },
  };
}
