/** The only way by which HTML enters the page: messages as the server rendered and cleaned them. */

const policy = globalThis.trustedTypes?.createPolicy("message-html", { createHTML: (html) => html });

/** What `dangerouslySetInnerHTML` takes. One object per text, so that a rerender changes nothing. */
export function trusted(html) {
  return { __html: policy ? policy.createHTML(html) : html };
}
