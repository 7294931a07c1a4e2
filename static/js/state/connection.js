/** The socket's state as the page shows it, and the one way to ask something of it. */

import { createSocket } from "../net/socket.js";
import { batch, signal } from "../vendor/preact.js";

/** {phase, retryAt?, code?, bye?}; see net/socket.js. */
export const link = signal({ phase: "connecting" });
/** When the connection was lost, or null while it is there. */
export const lostAt = signal(Date.now());
export const isOnline = signal(navigator.onLine);

const helloHandlers = [];
const frameHandlers = new Map();

const socket = createSocket({
  url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/v1/`,
  onPhase(phase) {
    batch(() => {
      link.value = phase;
      if (phase.phase === "ready") lostAt.value = null;
      else lostAt.value ??= Date.now();
    });
  },
  onHello(hello) {
    for (const handler of helloHandlers) handler(hello);
  },
  onFrame(frame) {
    frameHandlers.get(frame.type)?.(frame);
  },
});

addEventListener("online", () => (isOnline.value = true));
addEventListener("offline", () => (isOnline.value = false));

export const connect = socket.connect;
export const reconnect = socket.replace;
export const request = socket.request;

/** Called with each hello's data, in the order of registration. */
export function onHello(handler) {
  helloHandlers.push(handler);
}

/** The one handler of a type of frame. */
export function onFrame(type, handler) {
  frameHandlers.set(type, handler);
}
