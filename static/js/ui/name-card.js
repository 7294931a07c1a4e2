/** In place of the box: a visitor's words wait here for a name and go out with it. */

import { nameRefused } from "../lib/names.js";
import { freeName, putOff, sendAsGuest, unsigned } from "../state/guest.js";
import { urls } from "../state/me.js";
import { focusBox } from "../state/view.js";
import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { Icon, join } from "./parts.js";

export default function NameCard() {
  const [wrong, setWrong] = useState(null);
  const [isBusy, setBusy] = useState(false);
  const field = useRef(null);
  useEffect(() => field.current.focus(), []);

  async function send(event) {
    event.preventDefault();
    const name = field.current.value.trim();
    if (!name || isBusy) return;
    setBusy(true);
    try {
      await sendAsGuest(name);
    } catch (refusal) {
      setBusy(false);
      setWrong({ text: nameRefused(refusal, name), free: freeName(refusal) });
      field.current.focus();
    }
  }

  function back() {
    putOff();
    setTimeout(focusBox);
  }

  const take = () => {
    field.current.value = wrong.free;
    setWrong(null);
    field.current.focus();
  };
  return html`<form class="name-card" onSubmit=${send} onKeyDown=${(event) => event.key === "Escape" && back()}>
    <div><h2 class="name-card__title">What shall we call you?</h2><p class="name-card__lead">Your message waits here and goes out with your name.</p></div>
    <p class="name-card__kept" dir="auto">${unsigned.value.body}</p>
    <div class="name-card__row">
      <div class=${join("field", wrong && "field--wrong")}>
        <label class="hush" for="write">Your name</label>
        <input class="field__input" id="write" ref=${field} autocomplete="nickname" maxlength="40" dir="auto" aria-invalid=${wrong ? "true" : null} aria-describedby="name-help" />
        <p class="field__help" id="name-help" role="status">${wrong && html`<${Icon} name="alert" extra="icon--small" /><span>${wrong.text} ${wrong.free && html`<button class="text-button" type="button" onClick=${take}>Take “${wrong.free}”</button>`}</span>`}</p>
      </div>
      <button class="button button--primary" type="submit" disabled=${isBusy}>Send as guest</button>
    </div>
    <p class="name-card__lead name-card__end"><span>Been here before? <a href=${`${urls.sign_in}?next=${encodeURIComponent(location.pathname)}`}>Sign in</a></span><button class="text-button" type="button" onClick=${back}>Not now</button></p>
  </form>`;
}
