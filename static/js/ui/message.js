/** One message. templates/chat/_message.html draws the same structure; a test compares the two. */

import { paragraphs, plain, withEdited } from "../lib/text.js";
import { restore, rightsOn } from "../state/changes.js";
import { goTo } from "../state/history.js";
import { times } from "../state/me.js";
import { hot, target } from "../state/view.js";
import { computed, html, useMemo } from "../vendor/preact.js";
import { Echo } from "./echo.js";
import { MessageTools } from "./message-tools.js";
import { Bead, Icon, join } from "./parts.js";
import { trusted } from "./trusted.js";

export function MessageRow({ row, quoted }) {
  const { message, first, own, fresh, state } = row;
  const isHot = useMemo(() => computed(() => hot.value === row.key), [row.key]);
  const isTarget = useMemo(() => computed(() => message.seq !== null && target.value === message.seq), [message.seq]);
  const name = own ? "You" : message.author.display_name;
  const clock = times.clock(message.created_at);
  const classes = join(
    "message",
    first && "message--first",
    own && "message--own",
    fresh && "message--new",
    message.deleted_at && "message--deleted",
    isTarget.value && "message--target",
    state && state !== "sent" && `message--${state}`,
    row.arrives && "message--arrives",
  );
  return html`<article class=${classes} ...${message.seq ? { id: `m-${message.seq}` } : {}} tabindex="-1" aria-label=${`${name}, ${clock}`} data-key=${row.key}>
    ${first && html`<${Bead} user=${message.author} extra="message__avatar" />`}
    ${first && html`<div class="message__head"><span class="message__author" dir="auto">${name}</span>${message.author.is_guest && html`<span class="tag">Guest</span>`}</div>`}
    <${Time} message=${message} clock=${clock} />
    <div class="message__main">
      ${message.reply_to && !message.deleted_at && html`<${Quote} message=${quoted} id=${message.reply_to} />`}
      <${Body} message=${message} />
      ${state && html`<${Echo} echo=${row.echo} isLast=${row.isLast} />`}
    </div>
    ${isHot.value && !state && !message.deleted_at && html`<${MessageTools} message=${message} />`}
  </article>`;
}

function Time({ message, clock }) {
  const open = (event) => {
    event.preventDefault();
    history.replaceState(null, "", `?m=${message.seq}`);
    goTo(message.seq);
  };
  const time = html`<time datetime=${message.created_at} title=${times.exact(message.created_at)}>${clock}</time>`;
  if (!message.seq) return html`<span class="message__time">${time}</span>`;
  return html`<a class="message__time" href=${`?m=${message.seq}`} tabindex="-1" onClick=${open}>${time}</a>`;
}

/** A text keeps its element for as long as it is HTML: the framework would empty it with a bare string. */
function Body({ message }) {
  const { html: rendered, edited_at: editedAt } = message;
  const content = useMemo(() => {
    if (!rendered) return null;
    return trusted(editedAt ? withEdited(rendered, times.exact(editedAt)) : rendered);
  }, [rendered, editedAt]);
  if (message.deleted_at) return html`<${Gone} key="gone" message=${message} />`;
  if (!rendered) return html`<div class="message__body" key="echo"><${Draft} body=${message.body} /></div>`;
  return html`<div class="message__body" key="html" dangerouslySetInnerHTML=${content}></div>`;
}

function Gone({ message }) {
  return html`<div class="message__body">
    <${Icon} name="trash" extra="icon--small" /><p>${goneText(message)}</p>
    ${rightsOn(message).restore && html`<button class="text-button" type="button" onClick=${() => restore(message)}>Restore</button>`}
  </div>`;
}

export function goneText(message) {
  return message.deleted_by === "moderator" ? "Removed by a moderator" : "Deleted by its author";
}

function Draft({ body }) {
  return paragraphs(body).map(
    (lines) => html`<p dir="auto">${lines.map((line, index) => (index ? [html`<br />`, line] : line))}</p>`,
  );
}

/** What a message answers, on one line; it leads to the original. */
function Quote({ message }) {
  const icon = html`<${Icon} name="reply" extra="icon--small icon--turns quote__icon" />`;
  if (!message) return html`<span class="quote quote--gone">${icon}<span class="quote__text">An earlier message</span></span>`;
  const open = (event) => {
    event.preventDefault();
    goTo(message.seq);
  };
  return html`<a class=${join("quote", message.deleted_at && "quote--gone")} href=${`?m=${message.seq}`} onClick=${open}>
    ${icon}<span class="quote__author" dir="auto">${message.author.display_name}</span>
    <span class="quote__text" dir="auto">${message.deleted_at ? goneText(message) : plain(message.body)}</span>
  </a>`;
}
