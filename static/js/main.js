/** Takes over the page that the server drew. */

import "./state/outage.js";
import "./state/feed.js";
import { connect } from "./state/connection.js";
import { boot } from "./state/me.js";
import { active, unreadTotal } from "./state/rooms.js";
import { App } from "./ui/app.js";
import { listenForKeys } from "./ui/keys.js";
import { countLabel } from "./lib/text.js";
import { effect, html, render } from "./vendor/preact.js";

const page = document.getElementById("page");
render(html`<${App} />`, page);
listenForKeys();
connect();

effect(() => {
  const name = [active.value?.name, boot.site_name ?? "Chat"].filter(Boolean).join(" · ");
  document.title = unreadTotal.value ? `(${countLabel(unreadTotal.value)}) ${name}` : name;
});
