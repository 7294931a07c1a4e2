/** A member in the details, with the way to what may be done about them, and the way to add one. */

import { me } from "../state/me.js";
import { addMember } from "../state/members.js";
import { html, useRef, useState } from "../vendor/preact.js";
import { openPerson } from "./message-tools.js";
import { Bead, Icon, IconButton, join } from "./parts.js";

const hasPointer = matchMedia("(pointer: fine)");

export function Person({ member: { user, role } }) {
  const isMe = user.id === me.value?.id;
  const open = (event) => openPerson(user, hasPointer.matches ? event.currentTarget.getBoundingClientRect() : null);
  return html`<li class="member">
    <${Bead} user=${user} extra="avatar--sm" />
    <span class="member__name"><span dir="auto">${isMe ? "You" : user.display_name}</span></span>
    ${role !== "member" && html`<span class="tag tag--role"><${Icon} name="shield" />${role === "owner" ? "Owner" : "Moderator"}</span>`}
    ${user.is_guest && html`<span class="tag">Guest</span>`}
    ${!isMe && html`<${IconButton} icon="more" label=${`What to do about ${user.display_name}`} aria-haspopup="menu" onClick=${open} />`}
  </li>`;
}

export function AddPerson({ room }) {
  const [wrong, setWrong] = useState(null);
  const field = useRef(null);
  const add = async (event) => {
    event.preventDefault();
    const name = field.current.value.trim();
    if (!name) return;
    try {
      await addMember(room, name);
      field.current.value = "";
      setWrong(null);
    } catch (refusal) {
      setWrong(refusal.code === "not_found" ? `Nobody here is called ${name}.` : refusal.message);
    }
  };
  return html`<form class="member__add" onSubmit=${add}>
    <div class=${join("field", wrong && "field--wrong")}>
      <label class="field__label" for="add-person">Add a person</label>
      <div class="member__add-row"><input class="field__input" id="add-person" ref=${field} placeholder="Their name" autocomplete="off" dir="auto" aria-describedby="add-person-help" /><button class="button button--plain" type="submit">Add</button></div>
      <p class="field__help" id="add-person-help" role="status">${wrong && html`<${Icon} name="alert" extra="icon--small" /><span>${wrong}</span>`}</p>
    </div>
  </form>`;
}
