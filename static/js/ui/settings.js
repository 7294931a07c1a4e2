/** A room's settings, for its owners. */

import { isolated } from "../lib/text.js";
import { changeRoom } from "../state/members.js";
import { say } from "../state/view.js";
import { html, useState } from "../vendor/preact.js";
import { Icon, join } from "./parts.js";

const SLOW_SECONDS = [0, 5, 10, 30, 60, 300, 900, 3600];
const KINDS = [["public", "Public: everyone finds it"], ["announcement", "Announcements: only moderators write"], ["private", "Private: only members find it"]];
const POLICIES = [
  ["write", "may read and write"],
  ["approval", "may write after approval"],
  ["read", "may read"],
  ["none", "may not read"],
];
const REPORTS = [0, 1, 2, 3, 5, 10];

export function Settings({ room, done }) {
  const [wrong, setWrong] = useState({});
  const [kind, setKind] = useState(room.kind);
  const save = async (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    const fields = { name: form.get("name").trim(), topic: form.get("topic").trim(), slow_mode: Number(form.get("slow_mode")), hide_after_reports: Number(form.get("hide_after_reports")) };
    if (kind !== room.kind) fields.kind = kind;
    if (form.has("guest_policy")) fields.guest_policy = form.get("guest_policy");
    try {
      await changeRoom(room, fields);
      say("Settings saved");
      done();
    } catch (refusal) {
      setWrong(refusal.fields ?? { name: refusal.message });
    }
  };
  return html`<form class="pane__section card__form" onSubmit=${save}>
    <${Field} name="name" label="Name" wrong=${wrong.name}>${(given) => html`<input class="field__input" ...${given} value=${room.name} required maxlength="80" dir="auto" />`}<//>
    <${Field} name="topic" label="Topic" wrong=${wrong.topic}>${(given) => html`<input class="field__input" ...${given} value=${room.topic} maxlength="250" dir="auto" />`}<//>
    <${Field} name="kind" label="Kind" wrong=${wrong.kind}>${(given) => html`<select class="field__input" ...${given} onChange=${(event) => setKind(event.target.value)}>
      ${KINDS.map(([value, text]) => html`<option value=${value} selected=${value === room.kind}>${text}</option>`)}
    </select>`}<//>
    <${Field} name="slow_mode" label="Slow mode" wrong=${wrong.slow_mode}>${(given) => html`<select class="field__input" ...${given}>
      ${amongst(SLOW_SECONDS, room.slow_mode).map((value) => html`<option value=${value} selected=${value === room.slow_mode}>${duration(value)}</option>`)}
    </select>`}<//>
    ${kind !== "private" && html`<${Field} name="guest_policy" label="Guests" wrong=${wrong.guest_policy}>${(given) => html`<select class="field__input" ...${given}>
      ${POLICIES.map(([value, text]) => html`<option value=${value} selected=${value === room.guest_policy}>${text}</option>`)}
    </select>`}<//>`}
    <${Field} name="hide_after_reports" label="Hide what is reported" wrong=${wrong.hide_after_reports}>${(given) => html`<select class="field__input" ...${given}>
      ${amongst(REPORTS, room.hide_after_reports).map((value) => html`<option value=${value} selected=${value === room.hide_after_reports}>${afterReports(value)}</option>`)}
    </select>`}<//>
    <div class="card__row"><button class="button button--primary" type="submit">Save</button></div>
    <${Archive} room=${room} done=${done} />
  </form>`;
}

function Field({ name, label, wrong, children }) {
  const id = `setting-${name}`;
  return html`<div class=${join("field", wrong && "field--wrong")}>
    <label class="field__label" for=${id}>${label}</label>
    ${children({ id, name, "aria-describedby": wrong ? `${id}-help` : null })}
    ${wrong && html`<p class="field__help" id=${`${id}-help`}><${Icon} name="alert" extra="icon--small" /><span>${[wrong].flat().join(" ")}</span></p>`}
  </div>`;
}

/** Closing a room can be undone, so it asks nothing. */
function Archive({ room, done }) {
  const set = async (archived) => {
    try {
      await changeRoom(room, { archived });
      done();
      if (archived) say(`${isolated(room.name)} is closed`, { act: { label: "Undo", run: () => set(false) } });
    } catch (refusal) {
      say(refusal.message, { icon: "alert" });
    }
  };
  const isClosed = Boolean(room.archived_at);
  return html`<p class="field__help">${isClosed ? "The room is closed: all can be read, nothing can be written." : "A closed room can be read, but nobody writes in it."}</p>
    <button class="button button--plain" type="button" onClick=${() => set(!isClosed)}>${isClosed ? "Open the room again" : "Close the room"}</button>`;
}

/** The usual values, and the present one. */
function amongst(values, present) {
  return [...new Set([...values, present])].sort((a, b) => a - b);
}

function afterReports(count) {
  if (count === 0) return "never";
  return count === 1 ? "at the first report, until it is decided" : `after ${count} reports, until they are decided`;
}

function duration(seconds) {
  if (seconds === 0) return "off";
  return seconds % 60 === 0 ? `one message every ${seconds / 60} min` : `one message every ${seconds} s`;
}
