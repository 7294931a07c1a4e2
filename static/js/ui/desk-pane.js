/** What waits for a moderator in the open room: messages to let in or keep out, reports to decide. */

import { categoryLabel } from "../lib/sanctions.js";
import { count, decideHeld, decideReport, queues, show } from "../state/desk.js";
import { isPhone, me, times } from "../state/me.js";
import { dialog, paneOpen, say } from "../state/view.js";
import { html, useEffect, useState } from "../vendor/preact.js";
import { openPerson } from "./message-tools.js";
import { Bead, Empty, IconButton } from "./parts.js";
import { trusted } from "./trusted.js";

export function Desk({ room }) {
  const known = queues.value[room.id];
  useEffect(() => count(room.id), [room.id]);
  if (!known) return html`<section class="pane__section"><span class="bone bone--mid"></span><span class="bone bone--short"></span></section>`;
  const { held, reports, failed } = known;
  if (!held.length && !reports.length) {
    return failed
      ? html`<section class="pane__section"><p class="pane__about">What waits did not arrive.</p><button class="button button--plain button--small" type="button" onClick=${() => count(room.id)}>Try again</button></section>`
      : html`<${Empty} art="nobody" title="Nothing waits" text="New messages and reports appear here by themselves." />`;
  }
  return html`
    <${Group} title="Messages" list=${held} Item=${HeldItem} />
    <${Group} title="Reports" list=${reports} Item=${ReportItem} />`;
}

function Group({ title, list, Item }) {
  if (!list.length) return null;
  const heading = isPhone.value ? "h2" : "h3";
  return html`<section class="pane__section">
    <${heading} class="pane__heading">${title} <span class="num">${list.length}</span><//>
    <ul class="desk">${list.map((each) => html`<${Item} key=${each.id} item=${each} />`)}</ul>
  </section>`;
}

/** Two buttons that are asleep while the server decides; a refusal, such as "decided already", is told. */
function useDecision() {
  const [isBusy, setBusy] = useState(false);
  const decide = async (work) => {
    setBusy(true);
    await work().catch((refusal) => say(refusal.message, { icon: "alert" }));
    setBusy(false);
  };
  return [isBusy, decide];
}

function HeldItem({ item: held }) {
  const [isBusy, decide] = useDecision();
  return html`<li class="desk__item">
    <${Head} user=${held.author} at=${held.created_at} />
    <div class="desk__body message__body" dangerouslySetInnerHTML=${trusted(held.html)}></div>
    ${held.rule && html`<p class="desk__why">Held by the rule “${held.rule}”</p>`}
    <div class="desk__act">
      <button class="button button--primary button--small" type="button" disabled=${isBusy} onClick=${() => decide(() => decideHeld(held, "approve"))}>Let in</button>
      <button class="button button--plain button--small" type="button" disabled=${isBusy} onClick=${() => (dialog.value = { kind: "reject", held })}>Keep out</button>
    </div>
  </li>`;
}

function ReportItem({ item: report }) {
  const [isBusy, decide] = useDecision();
  const { subject, evidence, reporter } = report;
  const isMessage = evidence !== null;
  const look = () => {
    if (isPhone.value) paneOpen.value = false;
    show(report);
  };
  return html`<li class="desk__item">
    <p class="desk__label">${categoryLabel(report.category)}<span class="num">${times.when(report.created_at)}</span></p>
    ${subject ? html`<${Head} user=${subject} at=${evidence?.written_at} />` : html`<p class="desk__why">The room itself</p>`}
    ${isMessage && html`<p class="desk__body desk__body--plain" dir="auto">${evidence.body}</p>`}
    ${evidence?.edits.length > 0 && html`<details class="desk__edits"><summary>Before it was edited</summary>${evidence.edits.map((edit) => html`<p class="desk__body desk__body--plain" dir="auto">${edit.body}</p>`)}</details>`}
    <p class="desk__why"><span>Reported by <bdi>${reporter ? reporter.display_name : "a rule"}</bdi>${report.text && ": "}</span>${report.text && html`<q dir="auto">${report.text}</q>`}</p>
    <div class="desk__act">
      <button class="button button--primary button--small" type="button" disabled=${isBusy} onClick=${() => decide(() => decideReport(report, "upheld"))}>Uphold</button>
      <button class="button button--plain button--small" type="button" disabled=${isBusy} onClick=${() => decide(() => decideReport(report, "dismissed"))}>Dismiss</button>
      ${report.message && html`<button class="button button--quiet button--small" type="button" onClick=${look}>Show it</button>`}
    </div>
  </li>`;
}

function Head({ user, at }) {
  const open = (event) => openPerson(user, event.currentTarget.getBoundingClientRect());
  return html`<div class="desk__head">
    <${Bead} user=${user} extra="avatar--sm" /><span class="member__name"><span dir="auto">${user.display_name}</span></span>
    ${user.is_guest && html`<span class="tag">Guest</span>`}
    ${at && html`<time class="desk__time" datetime=${at} title=${times.exact(at)}>${times.when(at)}</time>`}
    ${user.id !== me.value.id && html`<${IconButton} icon="more" label=${`What to do about ${user.display_name}`} aria-haspopup="menu" onClick=${open} />`}
  </div>`;
}
