/** Reporting a message, a person or the room. Whoever has no name gives one first. */

import { nameRefused } from "../lib/names.js";
import { CATEGORIES } from "../lib/sanctions.js";
import { becomeGuest, freeName } from "../state/guest.js";
import { me } from "../state/me.js";
import { report } from "../state/moderation.js";
import { html, useState } from "../vendor/preact.js";
import { Question, Words } from "./question.js";

export function Report({ message = null, user = null, room = null }) {
  const [needsName] = useState(!me.value);
  const [free, setFree] = useState(null);
  const what = message ? "this message" : user ? html`<bdi>${user.display_name}</bdi>` : html`<bdi>${room.name}</bdi>`;
  const text = message
    ? "Moderators see it with the lines around it. Its author is not told who reported."
    : user
      ? "The moderators of this room see it. The person is not told who reported."
      : "Moderators and staff see it, with what you write here.";

  async function act(form) {
    if (!me.value) await takeName(form.get("name").trim());
    await report({ message, user, room }, { category: form.get("category"), text: form.get("text").trim() });
  }

  async function takeName(name) {
    try {
      await becomeGuest(name);
    } catch (refusal) {
      setFree(freeName(refusal));
      refusal.words = nameRefused(refusal, name);
      throw refusal;
    }
  }

  return html`<${Question} title=${html`Report ${what}?`} text=${text} verb="Report" act=${act}>
    ${needsName && html`<div class="field">
      <label class="field__label" for="ask-name">Your name</label>
      <input class="field__input" id="ask-name" name="name" required maxlength="40" autocomplete="nickname" dir="auto" placeholder=${free ? `${free} is free` : null} />
    </div>`}
    <fieldset class="dialog__choices"><legend class="hush">What is wrong</legend>
      ${CATEGORIES.map(([value, label], index) => html`<label class="check"><input class="check__box" type="radio" name="category" value=${value} defaultChecked=${index === 0} />${label}</label>`)}
    </fieldset>
    <${Words} name="text" label="What moderators should know" />
  <//>`;
}
