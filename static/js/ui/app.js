/** The page: list, sheet, pane. */

import { link } from "../state/connection.js";
import { isPhone } from "../state/me.js";
import { active, rooms } from "../state/rooms.js";
import { activeId, bars, dialog, menu, notices, paneOpen, showing } from "../state/view.js";
import { html } from "../vendor/preact.js";
import { Bar } from "./bar.js";
import { Composer } from "./composer.js";
import { Jump, TypingLine } from "./foot-lines.js";
import { Banner, Barred, Details, Dialogs, Menus, Notices, Toast } from "./later.js";
import { RoomList } from "./list.js";
import { Messages } from "./messages.js";
import { Empty, join } from "./parts.js";

export function App() {
  const isList = showing.value === "list";
  const hasPane = paneOpen.value && active.value;
  const part = isPhone.value && isList ? "list" : isPhone.value && hasPane ? "pane" : "sheet";
  return html`<div class=${join("app", isList && "app--show-list", hasPane && !(isPhone.value && isList) && "app--show-pane")}>
    <div class="app__list" role=${part === "list" ? "main" : null}><${RoomList} /></div>
    <div class="app__sheet" role=${part === "sheet" ? "main" : null}><${Sheet} /></div>
    ${hasPane && html`<${Details} key=${activeId.value} />`}
    <${Overlays} />
  </div>`;
}

/** Over the page, but beside it: its coming and going draws nothing else anew. */
function Overlays() {
  return html`
    ${notices.value.length > 0 && html`<${Notices} />`}
    ${menu.value && html`<${Menus} />`}
    ${dialog.value && html`<${Dialogs} />`}`;
}

function Sheet() {
  if (link.value.code === 4503) return html`<${Barred} />`;
  if (active.value) return html`<${Room} />`;
  return bars.value[activeId.value] ? html`<${Barred} />` : html`<${Nowhere} />`;
}

function Room() {
  return html`<div class="room">
    <${Bar} />
    <${Messages} key=${activeId.value} />
    <div class="room__foot"><${Toast} /><${Jump} /><${TypingLine} /><${Banner} /><${Composer} /></div>
  </div>`;
}

function Nowhere() {
  const isGone = activeId.value !== null;
  return html`<div class="room">
    ${isGone
      ? html`<${Empty} art="closed" title="This room is not open to you" text="It may be private, or it may no longer exist."><a class="button button--plain button--small" href="/">All rooms</a><//>`
      : html`<${Empty} art="nobody" title=${rooms.value.size ? "No room is open" : "No room is open to you yet"} text=${rooms.value.size ? "Choose one from the list." : "Sign in, or ask somebody to add you."} />`}
    <div class="room__foot"><${Toast} /></div>
  </div>`;
}
