/** Above the box: how the connection is. */

import { isOnline, link, lostAt, reconnect } from "../state/connection.js";
import { arrived } from "../state/view.js";
import { html, useEffect, useState } from "../vendor/preact.js";
import { signInUrl } from "./composer.js";
import { Icon } from "./parts.js";

const LOST_MS = 1_000;

export default function Banner() {
  const [, tick] = useState(0);
  const lost = lostAt.value;
  useEffect(() => {
    if (lost === null) return undefined;
    const timer = setInterval(() => tick((count) => count + 1), 500);
    return () => clearInterval(timer);
  }, [lost]);
  if (lost !== null && (Date.now() - lost >= LOST_MS || link.value.phase === "stopped")) return lostBanner(link.value);
  if (arrived.value !== null) {
    const count = arrived.value;
    const text = count === 0 ? "Nothing was missed." : `${count} ${count === 1 ? "message" : "messages"} came meanwhile.`;
    return html`<${Line} kind="back" icon="check" lead="Connected." text=${text} />`;
  }
  return null;
}

function lostBanner({ phase, code, retryAt, bye }) {
  const act = (label, run) => html`<button class="button button--quiet button--small" type="button" onClick=${run}>${label}</button>`;
  if (phase === "stopped") return stoppedBanner(code, act);
  const retry = act("Try now", reconnect);
  if (!isOnline.value) {
    return html`<${Line} kind="off" icon="broken" lead="You are offline." text="What you send is kept and goes out later." act=${retry} />`;
  }
  const seconds = Math.ceil(((retryAt ?? 0) - Date.now()) / 1000);
  if (bye?.code === 4001) return html`<${Line} kind="try" icon="retry" turns lead="The server restarts." text="Back in a few seconds." />`;
  if (phase === "waiting" && seconds > 3) {
    return html`<${Line} kind="try" icon="clock" lead="No connection." text=${`Next try in ${seconds} s.`} act=${retry} />`;
  }
  return html`<${Line} kind="try" icon="retry" turns lead="Connecting again." text="You can write meanwhile." />`;
}

function stoppedBanner(code, act) {
  if (code === 4501 || code === 4504) {
    const go = act("Sign in", () => location.assign(signInUrl()));
    return html`<${Line} kind="off" icon="lock" lead="You were signed out." text="Your draft is kept." act=${go} />`;
  }
  const go = act("Load it again", () => location.reload());
  return html`<${Line} kind="off" icon="broken" lead="This page is out of date." text="Your draft is kept." act=${go} />`;
}

function Line({ kind, icon, turns = false, lead, text, act = null }) {
  return html`<div class=${`banner banner--${kind}`} role="status">
    <span class="banner__sign"><${Icon} name=${icon} extra=${turns ? "banner__turn" : ""} /></span>
    <div class="banner__box"><span class="banner__text"><b>${lead}</b> ${text}</span>${act}</div>
  </div>`;
}
