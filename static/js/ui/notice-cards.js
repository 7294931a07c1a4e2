/** What is told to the reader in person: one card at a time, the oldest first. */

import { noticeWords } from "../lib/told.js";
import { times } from "../state/me.js";
import { dismiss } from "../state/told.js";
import { focusBox, notices } from "../state/view.js";
import { html } from "../vendor/preact.js";
import { Icon, IconButton, join } from "./parts.js";

export default function Notices() {
  const [notice, ...others] = notices.value;
  const { icon, tone = null, title, text, understood = false } = noticeWords(notice, times.since);
  const more = others.length ? `${others.length} more` : null;
  const done = () => {
    dismiss(notice);
    focusBox();
  };
  return html`<aside class="notices" aria-label="For you"><div key=${notice.id} class=${join("notice", "notice--floats", tone && `notice--${tone}`)} role=${tone === "danger" || understood ? "alert" : "status"}>
    <${Icon} name=${icon} />
    <h2 class="notice__title" dir="auto">${title}</h2>
    ${!understood && html`<${IconButton} icon="close" label="Close" extra="notice__close" onClick=${done} />`}
    ${text && html`<p class="notice__text" dir="auto">${text}</p>`}
    ${(understood || more) && html`<div class="notice__act">
      ${understood && html`<button class="button button--primary button--small" type="button" onClick=${done}>Understood</button>`}
      ${more && html`<span class="notice__more">${more}</span>`}
    </div>`}
  </div></aside>`;
}
