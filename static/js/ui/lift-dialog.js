/** What is in force against a person in the open room, each with its end. */

import { sanctionLine } from "../lib/sanctions.js";
import { reasonGiven } from "../lib/text.js";
import { times } from "../state/me.js";
import { inForce, lift } from "../state/moderation.js";
import { html, useEffect, useState } from "../vendor/preact.js";
import { closeDialog, Question } from "./question.js";

export function Lift({ user }) {
  const [known, setKnown] = useState(null);
  const [failed, setFailed] = useState(null);
  useEffect(() => {
    inForce(user).then(setKnown, (refusal) => setFailed(refusal.message));
  }, []);
  const end = async (sanction) => {
    if (await lift(sanction)) closeDialog();
  };
  const text = failed ?? (known === null ? "One moment." : known.length ? "What is lifted ends at once, and they are told." : "Nothing is in force here.");
  return html`<${Question} title=${html`What is in force: <bdi>${user.display_name}</bdi>`} text=${text}>
    ${known?.length > 0 && html`<ul class="dialog__list">${known.map((each) => html`<li class="dialog__row" key=${each.id}>
      <span class="dialog__row-words"><b>${sanctionLine(each, times.since)}</b> <span dir="auto">${reasonGiven(each.reason)}</span></span>
      <button class="button button--plain button--small" type="button" aria-label=${`Lift: ${sanctionLine(each, times.since)}`} onClick=${() => end(each)}>Lift</button>
    </li>`)}</ul>`}
  <//>`;
}
