/** Parts whose code is read when they are first shown: most readers never need them. main.js says where they are. */

import { dialog, menu, notices, paneOpen, say } from "../state/view.js";
import { html, useEffect, useState } from "../vendor/preact.js";

const readers = {};

/** Takes functions that import, by part. Not here: a module's name holds the hash of what it imports, so no circle may close. */
export function readLater(given) {
  Object.assign(readers, given);
}

export const Details = later("details", "The details", { stop: () => (paneOpen.value = false), meanwhile: html`<div class="app__pane" aria-busy="true"></div>` });
export const Menus = later("menus", "The menu", { stop: () => (menu.value = null) });
export const Dialogs = later("dialogs", "The question", { stop: () => (dialog.value = null) });
export const Notices = later("notices", "A notice", { stop: () => (notices.value = []) });
export const Barred = later("barred", "The reason");
export const Waiting = later("waiting", "What waits");
export const MeItems = later("me", "The menu");
export const Banner = later("banner", "The state of the connection");
export const Toast = later("toast", "A line");
export const NameCard = later("name", "The field for a name");

function later(part, what, { stop = () => null, meanwhile = null } = {}) {
  let Part = null;
  let asked = null;
  const load = () => {
    asked ??= readers[part]().then((module) => (Part = module.default), (error) => {
      asked = null;
      throw error;
    });
    return asked;
  };
  function Later(props) {
    const [tries, setTries] = useState(0);
    const Drawn = Part; // it may arrive between the drawing and its effect, which would then wait for nothing
    useEffect(() => {
      if (Drawn) return;
      load().then(() => setTries(tries + 1), () => {
        stop();
        say(`${what} did not arrive`, { icon: "alert", act: { label: "Try again", run: () => setTries(tries + 1) } });
      });
    }, [tries]);
    return Drawn ? html`<${Drawn} ...${props} />` : meanwhile;
  }
  return Object.assign(Later, { load: () => load().catch(() => null) });
}
