/** Warning, muting, kicking and banning, with or without a clean-up. */

import { forTime, KINDS, REACHES } from "../lib/sanctions.js";
import { cleanUp, sanction } from "../state/moderation.js";
import { html, useState } from "../vendor/preact.js";
import { Choice, Question, Why, whyOf } from "./question.js";

const FOR_EVER = "";

export function Sanction({ kind, user }) {
  const { verb, text, spans, usual } = KINDS[kind];
  const [minutes, setMinutes] = useState(usual);
  const isClean = kind === "clean_up";
  const name = html`<bdi>${user.display_name}</bdi>`;

  function act(form) {
    const why = whyOf(form);
    if (isClean) return cleanUp(user, { minutes, hours: Number(form.get("hours")), ...why });
    return sanction(kind, user, { minutes: spans.length ? minutes : null, ...why });
  }

  return html`<${Question} title=${html`${verb} ${name}${isClean ? " and clean up" : ""}?`} text=${text}
    verb=${spans.length ? `${verb} ${forTime(minutes)}` : verb} danger=${kind !== "warn"} act=${act}>
    ${isClean && html`<${Choice} name="hours" label="Remove what they wrote in" pairs=${REACHES} value=${24} />`}
    ${spans.length > 0 && html`<${Choice} name="minutes" label="How long" pairs=${spans.map((each) => [each ?? FOR_EVER, capital(forTime(each))])} value=${minutes ?? FOR_EVER}
      set=${(value) => setMinutes(value === FOR_EVER ? null : Number(value))} />`}
    <${Why} />
  <//>`;
}

function capital(words) {
  return words[0].toUpperCase() + words.slice(1);
}
