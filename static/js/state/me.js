/** Who is reading, what the page came with, and where its other pages are. */

import { makeTimes, chooseLocale } from "../lib/times.js";
import { signal } from "../vendor/preact.js";

export const boot = JSON.parse(document.getElementById("boot").textContent);

/** {id, display_name, is_guest}, or null for a visitor without a name. */
export const me = signal(boot.me);

/** How far the server's clock is ahead of this one, in milliseconds. */
export const clockSkew = signal(0);

export const urls = {
  guest: "/accounts/guest/",
  name: "/accounts/name/",
  new_room: "/rooms/new/",
  sign_in: "/accounts/login/",
  sign_out: "/accounts/logout/",
  sign_up: "/accounts/signup/",
  ...boot.urls,
};

export const limits = { max_body_chars: 4000, ...boot.limits };

export const times = makeTimes(chooseLocale(document.documentElement.lang, navigator.languages));

/** Whether only one of list, room and details is shown at a time. */
const narrow = matchMedia("(max-width: 47.99rem)");
export const isPhone = signal(narrow.matches);
narrow.addEventListener("change", () => (isPhone.value = narrow.matches));

/** What belongs to one person in this browser: their drafts, what waits to be sent. */
export function ownKey(kind, rest = "") {
  return `${kind}:${me.value ? me.value.id : "visitor"}:${rest}`;
}
