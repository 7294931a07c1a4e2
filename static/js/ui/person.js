/** A member in the details, with what may be done about them, and the way to add one. */

import { mayModerate } from "../state/changes.js";
import { me } from "../state/me.js";
import { addMember, changeRole, removeMember } from "../state/members.js";
import { say } from "../state/view.js";
import { html, useRef, useState } from "../vendor/preact.js";
import { Bead, Icon, IconButton, join } from "./parts.js";

export function Person({ member: { user, role }, room }) {
  const [isOpen, setOpen] = useState(false);
  const isMe = user.id === me.value?.id;
  const isOwner = room.role === "owner";
  const mayAct = !isMe && role !== "owner" && (isOwner || (mayModerate(room) && role === "member"));
  const run = async (work) => {
    setOpen(false);
    await work().catch((refusal) => say(refusal.message, { icon: "alert" }));
  };
  const item = (icon, label, work, danger = false) => html`
    <button class=${join("menu__item", danger && "menu__item--danger")} type="button" onClick=${() => run(work)}><${Icon} name=${icon} /><span class="menu__label">${label}</span></button>`;
  return html`<li>
    <div class="member">
      <${Bead} user=${user} extra="avatar--sm" />
      <span class="member__name"><span dir="auto">${isMe ? "You" : user.display_name}</span></span>
      ${role !== "member" && html`<span class="tag tag--role"><${Icon} name="shield" />${role === "owner" ? "Owner" : "Moderator"}</span>`}
      ${user.is_guest && html`<span class="tag">Guest</span>`}
      ${mayAct && html`<${IconButton} icon="more" label=${`What to do about ${user.display_name}`} aria-expanded=${isOpen ? "true" : "false"} onClick=${() => setOpen(!isOpen)} />`}
    </div>
    ${isOpen && html`<div class="member__acts">
      ${isOwner && !user.is_guest && role === "member" && item("shield", "Make a moderator", () => changeRole(room, user, "moderator"))}
      ${isOwner && role === "moderator" && item("people", "Make a member", () => changeRole(room, user, "member"))}
      ${isOwner && !user.is_guest && item("key", "Make an owner", () => changeRole(room, user, "owner"))}
      ${item("leave", "Remove from the room", () => removeMember(room, user), true)}
    </div>`}
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
