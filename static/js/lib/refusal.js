/** In which words a person is told what the server refused. Codes: docs/protocol.md. */

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
