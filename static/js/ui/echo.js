/** What a message on its way, or before a moderator, asks of its author, below the words. */

import { reason } from "../lib/refusal.js";
import { reasonGiven } from "../lib/text.js";
import { isOnline, link } from "../state/connection.js";
import { discard, sendAgain } from "../state/outbox.js";
import { html, useEffect, useState } from "../vendor/preact.js";
import { Icon } from "./parts.js";

const PATIENCE_MS = 800;

export function Echo({ echo, isLast }) {
  const isLate = useLater(PATIENCE_MS, echo.client_id);
  if (echo.state === "held") {
    return html`<div class="message__state"><${Icon} name="wait" extra="icon--small" />Waits for a moderator. Only you see it.</div>`;
  }
  if (echo.state === "rejected") {
    return html`<div class="message__state">
      <${Icon} name="ban" extra="icon--small" /><span>Not let in by a moderator. ${reasonGiven(echo.reason)}</span>
      <button class="text-button text-button--danger" type="button" onClick=${() => discard(echo)}>Discard</button>
    </div>`;
  }
  if (echo.state === "failed") {
    return html`<div class="message__state">
      <${Icon} name="alert" extra="icon--small" />Not sent: ${reason(echo.code)}.
      <button class="text-button" type="button" onClick=${() => sendAgain(echo)}>Send again</button>
      <button class="text-button text-button--danger" type="button" onClick=${() => discard(echo)}>Discard</button>
    </div>`;
  }
  if (echo.state !== "pending" || !isLate) return null;
  if (!isOnline.value || link.value.phase !== "ready") {
    return isLast && html`<div class="message__state"><${Icon} name="clock" extra="icon--small" />Kept here, goes out when you are back</div>`;
  }
  return html`<div class="message__state"><${Icon} name="clock" extra="icon--small" />Sending</div>`;
}

function useLater(delay, key) {
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), delay);
    return () => clearTimeout(timer);
  }, [key]);
  return isLate;
}
