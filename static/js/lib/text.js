/** Plain text: for previews and quotes, for counting, for a message that the server has not rendered yet. */

export const MAX_BODY_CHARS = 4000;
const PREVIEW_CHARS = 200;

/** A body on one line without the marks of Markdown, cut for a preview or a quote. */
export function plain(body) {
  const line = body
    .replace(/^\s*(?:```.*|#{1,6}\s|>\s?|[-*+]\s)/gm, "")
    .replace(/[`*]|~~|__/g, "")
    .replace(/\s+/g, " ")
    .trim();
  return [...line].slice(0, PREVIEW_CHARS).join("");
}

/** A name that turns nothing around it. */
export const isolated = (name) => `\u2068${name}\u2069`;

/** Length as the server counts it: in code points. */
export function length(body) {
  let count = 0;
  for (const _ of body) count += 1;
  return count;
}

/** Paragraphs of lines, as a body shows before it is rendered. */
export function paragraphs(body) {
  return body
    .trim()
    .split(/\n{2,}/)
    .map((part) => part.split("\n"));
}

/** Rendered HTML with the word "edited" after its last word. Both strings come from the server or from here. */
export function withEdited(html, title) {
  const mark = `class="message__edited" title="${title.replace(/[&<>"]/g, "")}">edited<`;
  if (html.endsWith("</p>")) return `${html.slice(0, -4)} <span ${mark}/span></p>`;
  return `${html}<p ${mark}/p>`;
}

/** The reason that a moderator gave, as a sentence; nothing where none was given. */
export function reasonGiven(reason) {
  if (!reason) return "";
  return `Reason given: ${reason}${/[.!?…。؟]$/u.test(reason) ? "" : "."}`;
}

/** "a", "a and b", "a, b and c". */
export function listed(words) {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} and ${words[words.length - 1]}`;
}

/** Counts stop at 99. */
export function countLabel(count) {
  return count > 99 ? "99+" : String(count);
}
