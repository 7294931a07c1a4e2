/** A question over the page: a title, a sentence, what is asked, and the verb on the button. */

import { CATEGORIES, MAX_REASON_CHARS } from "../lib/sanctions.js";
import { dialog } from "../state/view.js";
import { html, useLayoutEffect, useRef, useState } from "../vendor/preact.js";
import { Icon } from "./parts.js";

/** `act` gets the form's data and may throw a Refusal, told in the dialog. Without a verb it only tells. */
export function Question({ title, text, verb, danger = false, act, children }) {
  const box = useRef(null);
  const [isBusy, setBusy] = useState(false);
  const [wrong, setWrong] = useState(null);
  useLayoutEffect(() => {
    const element = box.current;
    element.showModal();
    return () => element.close();
  }, []);

  async function submit(event) {
    event.preventDefault();
    if (isBusy) return;
    setBusy(true);
    setWrong(null);
    try {
      await act(new FormData(event.target));
      closeDialog();
    } catch (refusal) {
      setWrong(refusal.words ?? Object.values(refusal.fields ?? {})[0]?.[0] ?? refusal.message);
      setBusy(false);
    }
  }

  const cancel = (event) => {
    event.preventDefault();
    closeDialog();
  };
  const leave = (event) => event.target === box.current && closeDialog();
  return html`<dialog class="dialog" ref=${box} aria-labelledby="dialog-title" aria-describedby="dialog-text" onCancel=${cancel} onPointerDown=${leave}>
    <form class="dialog__form" onSubmit=${submit}>
      <div><h2 class="dialog__title" id="dialog-title" dir="auto">${title}</h2><p class="dialog__text" id="dialog-text">${text}</p></div>
      ${children}
      <p class="dialog__wrong" role="alert">${wrong && html`<${Icon} name="alert" extra="icon--small" /><span>${wrong}</span>`}</p>
      <div class="dialog__act">
        <button class="button button--plain" type="button" onClick=${closeDialog}>${verb ? "Cancel" : "Close"}</button>
        ${verb && html`<button class=${danger ? "button button--danger" : "button button--primary"} type="submit" disabled=${isBusy}>${verb}</button>`}
      </div>
    </form>
  </dialog>`;
}

export function closeDialog() {
  dialog.value = null;
}

/** A choice out of pairs of a value and words. */
export function Choice({ name, label, pairs, value, set = null }) {
  const id = `ask-${name}`;
  return html`<div class="field">
    <label class="field__label" for=${id}>${label}</label>
    <select class="field__input" id=${id} name=${name} onChange=${set && ((event) => set(event.target.value))}>
      ${pairs.map(([each, words]) => html`<option value=${each} selected=${each === value}>${words}</option>`)}
    </select>
  </div>`;
}

/** Why: from the list, and in one's own words. `optional` offers to give none. */
export function Why({ optional = false }) {
  const pairs = optional ? [["", "None given"], ...CATEGORIES] : CATEGORIES;
  return html`
    <${Choice} name="category" label="Reason" pairs=${pairs} value=${pairs[0][0]} />
    <${Words} name="reason" label="In your words" />`;
}

export function Words({ name, label }) {
  return html`<div class="field">
    <label class="field__label" for=${`ask-${name}`}>${label} <span class="field__optional">if you like</span></label>
    <textarea class="field__input field__input--words" id=${`ask-${name}`} name=${name} rows="2" maxlength=${MAX_REASON_CHARS} dir="auto"></textarea>
  </div>`;
}

/** The reason out of a form; words without a category are told too. Empty where none was given. */
export function whyOf(form) {
  const reason = form.get("reason").trim();
  const category = form.get("category") || (reason ? "other" : "");
  return category ? { category, reason } : {};
}
