/** The socket's state as the page shows it, and the one client of the page. */

import { createClient } from "../chat-client/index.js";
import { batch, signal } from "../vendor/preact.js";

/** {phase, retryAt?, code?, bye?}; see chat-client/socket.js. */
export const link = signal({ phase: "connecting" });
/** When the connection was lost, or null while it is there. */
export const lostAt = signal(Date.now());
export const isOnline = signal(navigator.onLine);

export const client = createClient({
  url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/v1/`,
  hello: () => ({ client: "web" }),
});

export const { connect, reconnect, request } = client;

client.on("phase", (phase) =>
  batch(() => {
    link.value = phase;
    if (phase.phase === "ready") lostAt.value = null;
    else lostAt.value ??= Date.now();
  }),
);

addEventListener("online", () => (isOnline.value = true));
addEventListener("offline", () => (isOnline.value = false));
