/** In the place of a room that is closed, or of all: why, until when, and the way on. */

import { barWords } from "../lib/told.js";
import { dropBar, EVERYWHERE } from "../state/barred.js";
import { link } from "../state/connection.js";
import { reloadList } from "../state/feed.js";
import { times } from "../state/me.js";
import { timeTo } from "../state/standing.js";
import { activeId, bars } from "../state/view.js";
import { html, useEffect } from "../vendor/preact.js";
import { Empty } from "./parts.js";
import { Toast } from "./later.js";

const MARGIN_MS = 600;
const LONGEST_MS = 86_400_000;

export default function Barred() {
  const { code, bye } = link.value;
  const isEverywhere = code === 4503;
  const bar = bars.value[isEverywhere ? EVERYWHERE : activeId.value];
  const end = isEverywhere ? null : bar.ends_at;
  useEffect(() => {
    const wait = timeTo(end);
    if (wait === null || wait > LONGEST_MS) return undefined;
    const open = () => {
      dropBar(activeId.value);
      reloadList();
    };
    const timer = setTimeout(open, Math.max(0, wait) + MARGIN_MS);
    return () => clearTimeout(timer);
  }, [end]);
  const words = bar ? barWords(bar, times.since) : { title: "You are banned", text: bye?.reason ?? "" };
  return html`<div class="room">
    <${Empty} art="closed" title=${words.title} text=${words.text} role="alert">
      ${!isEverywhere
        ? html`<a class="button button--plain button--small" href="/">All rooms</a>`
        : html`<button class="button button--plain button--small" type="button" onClick=${() => location.reload()}>Load it again</button>`}
    <//>
    <div class="room__foot"><${Toast} /></div>
  </div>`;
}
