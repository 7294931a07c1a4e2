/** The message box: writing, answering, editing, and what stands in the way of sending. */

import { length } from "../lib/text.js";
import { reason } from "../lib/refusal.js";
import { saveEdit, startEdit } from "../state/changes.js";
import { draftOf, keepDraft } from "../state/drafts.js";
import { askName } from "../state/guest.js";
import { goToEnd } from "../state/history.js";
import { limits, me } from "../state/me.js";
import { post, slowUntil } from "../state/outbox.js";
import { markRead } from "../state/read.js";
import { view } from "../state/rooms.js";
import { tellTyping } from "../state/typing.js";
import { about } from "../state/view.js";
import { html, useEffect, useLayoutEffect, useRef, useState } from "../vendor/preact.js";
import { About, Note } from "./box-lines.js";
import { Icon, join } from "./parts.js";

const GROWS = CSS.supports("field-sizing", "content");
const isTouch = matchMedia("(pointer: coarse)");

export function Box({ room, isReadFirst }) {
  const [body, setBody] = useState(draftOf(room.id));
  const [wrong, setWrong] = useState(null);
  const [isSaving, setSaving] = useState(false);
  const [isFocused, setFocused] = useState(false);
  const field = useRef(null);
  const subject = about.value;
  const isEdit = subject?.kind === "edit";
  const seconds = useCountdown(isEdit ? 0 : slowUntil.value[room.id]);
  const excess = length(body.trim()) - limits.max_body_chars;
  const maySend = body.trim() !== "" && excess <= 0 && seconds === 0 && !isSaving;

  // An edit borrows the box; the draft comes back after it. Before the next key, or it would be overwritten.
  const isFirst = useRef(true);
  useLayoutEffect(() => {
    if (isFirst.current) {
      isFirst.current = false;
      return;
    }
    setWrong(null);
    setBody(isEdit ? subject.message.body : draftOf(room.id));
    field.current.focus();
  }, [isEdit && subject.message.id]);

  useLayoutEffect(() => {
    if (GROWS) return;
    field.current.style.height = "auto";
    field.current.style.height = `${field.current.scrollHeight}px`;
  }, [body]);

  function write(text) {
    setBody(text);
    if (isEdit) return;
    keepDraft(room.id, text);
    if (text.trim()) tellTyping(room.id);
  }

  async function send() {
    if (!maySend) return;
    if (isEdit) return save();
    const words = { room: room.id, body: body.trim(), reply_to: subject?.message.id ?? null };
    about.value = null;
    if (!me.value) return askName(words);
    write("");
    post(room.id, words);
    markRead(room.id);
    goToEnd();
    field.current.focus();
  }

  async function save() {
    setSaving(true);
    try {
      await saveEdit(subject.message, body.trim());
      about.value = null;
    } catch (refusal) {
      setWrong(`Not saved: ${reason(refusal.code)}`);
    } finally {
      setSaving(false);
    }
  }

  function onKeyDown(event) {
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey && !isTouch.matches) {
      event.preventDefault();
      send();
    } else if (event.key === "ArrowUp" && body === "" && !subject) {
      const last = lastOwn(room.id);
      if (last) {
        event.preventDefault();
        startEdit(last);
      }
    } else if (event.key === "Escape") {
      if (subject) about.value = null;
      else {
        markRead(room.id);
        goToEnd();
      }
    }
  }

  return html`
    <div class="composer__box">
      ${subject && html`<${About} subject=${subject} />`}
      <textarea class="composer__text" id="write" rows="1" ref=${field} value=${body} enterkeyhint=${isTouch.matches ? "enter" : "send"} dir="auto"
        aria-label=${isEdit ? "Edit your message" : `Message to ${room.name}`} placeholder=${`Write to ${room.name}`} aria-describedby="write-note"
        onInput=${(event) => write(event.target.value)} onKeyDown=${onKeyDown} onFocus=${() => setFocused(true)} onBlur=${() => setFocused(false)}></textarea>
      <div class="composer__tools"><${Send} isEdit=${isEdit} may=${maySend} seconds=${seconds} send=${send} /></div>
    </div>
    <${Note} wrong=${wrong} excess=${excess} seconds=${seconds} slowMode=${room.slow_mode} isReadFirst=${isReadFirst} isFocused=${isFocused && !isTouch.matches} isEdit=${isEdit} />`;
}

function Send({ isEdit, may, seconds, send }) {
  if (seconds > 0) {
    return html`<button class="composer__send composer__send--wait" type="button" disabled aria-label=${`Send, in ${seconds} seconds`}>${seconds}</button>`;
  }
  return html`<button class=${join("composer__send")} type="button" disabled=${!may} aria-label=${isEdit ? "Save" : "Send"} onClick=${send}>
    <${Icon} name=${isEdit ? "check" : "send"} />
  </button>`;
}

function lastOwn(room) {
  const own = ({ message }) => message.author.id === me.value?.id && !message.deleted_at;
  return view(room).value.entries.findLast(own)?.message ?? null;
}

/** Whole seconds until `until`, counting down; 0 once it is past. */
function useCountdown(until) {
  const left = () => Math.max(0, Math.ceil(((until ?? 0) - Date.now()) / 1000));
  const [, tick] = useState(0);
  const seconds = left();
  useEffect(() => {
    if (seconds === 0) return undefined;
    const timer = setInterval(() => tick((count) => count + 1), 250);
    return () => clearInterval(timer);
  }, [seconds > 0, until]);
  return seconds;
}
