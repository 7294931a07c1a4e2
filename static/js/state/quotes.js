/** The messages that others answer: from the loaded ones, else read once from the server. */

import { rest } from "../net/rest.js";
import { signal } from "../vendor/preact.js";
import { boot } from "./me.js";

const fetched = signal(new Map((boot.quotes ?? []).map((message) => [message.id, message])));
const asked = new Set();

/** A function from a message's id to its payload, or null while it is not known. */
export function quotedIn(state) {
  const loaded = new Map(state.entries.map(({ message }) => [message.id, message]));
  const known = fetched.value;
  return (id) => loaded.get(id) ?? known.get(id) ?? ask(id);
}

function ask(id) {
  if (asked.has(id)) return null;
  asked.add(id);
  rest("GET", `messages/${id}`)
    .then((message) => (fetched.value = new Map(fetched.value).set(id, message)))
    .catch(() => null);
  return null;
}
