/** When to connect again: full jitter, so that many clients do not come back at once. */

const BASE_SECONDS = 0.5;
const CAP_SECONDS = 30;

/** Milliseconds before attempt number `attempt` (from 0). A wait the server asked for is kept to, plus jitter. */
export function reconnectDelay(attempt, retryAfter = null, random = Math.random) {
  const ceiling = Math.min(CAP_SECONDS, BASE_SECONDS * 2 ** Math.min(attempt, 10));
  return 1000 * ((retryAfter ?? 0) + random() * ceiling);
}

/** Whether a close by the server means: do not come back by yourself. */
export function isFinal(closeCode) {
  return closeCode >= 4500 && closeCode <= 4999;
}
