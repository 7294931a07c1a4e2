/** What the server refused, and in which words a person is told. Codes: docs/protocol.md. */

export class Refusal extends Error {
  constructor({ code, message, detail, retry = false, retry_after = null, fields = null }) {
    super(message ?? detail ?? code);
    this.code = code;
    this.retry = retry;
    this.retryAfter = retry_after;
    this.fields = fields;
  }
}

/** Nothing was asked of the server: there is no connection. */
export function noConnection() {
  return new Refusal({ code: "unavailable", message: "no connection", retry: true });
}

const REASONS = {
  archived: "the room is closed",
  banned: "you are banned",
  blocked_content: "this text is not allowed here",
  conflict: "something else changed first",
  forbidden: "you may not write here",
  internal: "something broke on the server",
  invalid: "the text is not valid",
  muted: "you cannot write here at the moment",
  not_found: "the room is not open to you",
  rate_limited: "too many in a short time",
  read_only: "you can read here, but not write",
  slow_mode: "slow mode",
  too_large: "the text is too long",
  unauthenticated: "you are signed out",
  unavailable: "the server did not answer",
};

/** The reason within a sentence: "Not sent: …". */
export function reason(code) {
  return REASONS[code] ?? "the server refused it";
}
