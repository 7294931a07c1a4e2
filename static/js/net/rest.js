/** REST and the few page endpoints that answer JSON: same origin, by the session's cookie, with CSRF. */

import { Refusal, noConnection } from "../chat-client/refusal.js";

const TIMEOUT_MS = 15_000;

/** The JSON answer of /api/v1/…, or null where there is none. Throws a Refusal. */
export function rest(method, path, { query = null, body = null } = {}) {
  const search = query ? `?${new URLSearchParams(query)}` : "";
  return ask(`/api/v1/${path}${search}`, {
    method,
    headers: body ? { "Content-Type": "application/json" } : {},
    body: body ? JSON.stringify(body) : null,
  });
}

/** As `rest`, for a page's form that answers JSON when asked to. */
export function postForm(url, fields) {
  return ask(url, { method: "POST", headers: {}, body: new URLSearchParams(fields) });
}

async function ask(url, { method, headers, body }) {
  let response;
  try {
    response = await fetch(url, {
      method,
      body,
      headers: { Accept: "application/json", "X-CSRFToken": csrfToken(), ...headers },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    throw noConnection();
  }
  const isJson = /\bjson\b/.test(response.headers.get("Content-Type") ?? "");
  const answer = isJson ? await response.json().catch(() => null) : null;
  if (response.ok) return answer;
  throw new Refusal({
    code: "internal",
    retry: response.status >= 500 || response.status === 429,
    retry_after: Number(response.headers.get("Retry-After")) || null,
    ...answer,
  });
}

/** Signing in turns the cookie, so it is read each time; the page's own token is for the first request. */
function csrfToken() {
  const cookie = /(?:^|; )(?:__Host-)?csrf=([^;]+)/.exec(document.cookie);
  return cookie ? decodeURIComponent(cookie[1]) : document.querySelector('meta[name="csrf"]')?.content ?? "";
}
