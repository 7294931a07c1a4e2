const GONE = new Set(["not_found", "forbidden", "banned"]);

/** What the server refused. Codes: docs/protocol.md. */
export class Refusal extends Error {
  constructor({ code, message, detail, retry = false, retry_after = null, fields = null }) {
    super(message ?? detail ?? code);
    this.code = code;
    this.retry = retry;
    this.retryAfter = retry_after;
    this.fields = fields;
  }

  /** Whether what was asked for is not open to the caller. */
  get isGone() {
    return GONE.has(this.code);
  }
}

/** Nothing was asked of the server: there is no connection. */
export function noConnection() {
  return new Refusal({ code: "unavailable", message: "no connection", retry: true });
}
