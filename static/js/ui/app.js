/** The page: list, sheet, pane. */

import { isPhone } from "../state/me.js";
import { active, rooms } from "../state/rooms.js";
import { activeId, paneOpen, showing } from "../state/view.js";
import { html } from "../vendor/preact.js";
import { Bar } from "./bar.js";
import { Composer } from "./composer.js";
import { Details } from "./details.js";
import { Banner, Jump, TypingLine } from "./foot-lines.js";
import { RoomList } from "./list.js";
import { MessageMenu } from "./message-tools.js";
import { Messages } from "./messages.js";
import { Empty, join } from "./parts.js";
import { Toast } from "./toast.js";

export function App() {
  const isList = showing.value === "list";
  const hasPane = paneOpen.value && active.value;
  const part = isPhone.value && isList ? "list" : isPhone.value && hasPane ? "pane" : "sheet";
  return html`<div class=${join("app", isList && "app--show-list", hasPane && !(isPhone.value && isList) && "app--show-pane")}>
    <div class="app__list" role=${part === "list" ? "main" : null}><${RoomList} /></div>
    <div class="app__sheet" role=${part === "sheet" ? "main" : null}>${active.value ? html`<${Room} />` : html`<${Nowhere} />`}</div>
    ${hasPane && html`<${Details} key=${activeId.value} />`}
    <${MessageMenu} />
  </div>`;
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
