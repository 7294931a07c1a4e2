/** Takes over the page that the server drew. */

import "./state/feed.js";
import { connect } from "./state/connection.js";
import { boot } from "./state/me.js";
import { active, unreadTotal } from "./state/rooms.js";
import { tellLater } from "./state/standing.js";
import { App } from "./ui/app.js";
import { Banner, Toast, readLater } from "./ui/later.js";
import { countLabel } from "./lib/text.js";
import { effect, html, render } from "./vendor/preact.js";

readLater({
  banner: () => import("./ui/banner.js"),
  barred: () => import("./ui/barred.js"),
  details: () => import("./ui/pane.js"),
  dialogs: () => import("./ui/dialogs.js"),
  me: () => import("./ui/me-items.js"),
  menus: () => import("./ui/menus.js"),
  name: () => import("./ui/name-card.js"),
  notices: () => import("./ui/notice-cards.js"),
  toast: () => import("./ui/toast.js"),
  waiting: () => import("./ui/waiting.js"),
});
tellLater(() => import("./state/told.js"));

const page = document.getElementById("page");
render(html`<${App} />`, page);
connect();
// Not needed for the first message, and too late once the connection is lost.
for (const part of [Banner, Toast]) part.load();
for (const module of [import("./state/held.js"), import("./state/outage.js")]) module.catch(() => null);
import("./ui/keys.js").then(({ listenForKeys }) => listenForKeys(), () => null);

effect(() => {
  const name = [active.value?.name, boot.site_name ?? "Chat"].filter(Boolean).join(" · ");
  document.title = unreadTotal.value ? `(${countLabel(unreadTotal.value)}) ${name}` : name;
});
