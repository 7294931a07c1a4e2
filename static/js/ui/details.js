/** The details' code is read when they are first opened: most readers never do. */

import { paneOpen, say } from "../state/view.js";
import { html, useEffect, useState } from "../vendor/preact.js";

let Pane = null;

export function Details() {
  const [, setThere] = useState(Pane !== null);
  useEffect(() => {
    if (Pane) return;
    read().then(
      () => setThere(true),
      () => {
        paneOpen.value = false;
        say("The details did not arrive", { icon: "alert", act: { label: "Try again", run: () => (paneOpen.value = true) } });
      },
    );
  }, []);
  return Pane ? html`<${Pane} />` : html`<div class="app__pane" aria-busy="true"></div>`;
}

async function read() {
  ({ Pane } = await import("./pane.js"));
}
