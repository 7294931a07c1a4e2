/** The questions that are asked over the page, one at a time. */

import { KINDS } from "../lib/sanctions.js";
import { dialog } from "../state/view.js";
import { html } from "../vendor/preact.js";
import { Lift } from "./lift-dialog.js";
import { Reject, Remove } from "./remove-dialogs.js";
import { Report } from "./report-dialog.js";
import { Sanction } from "./sanction-dialog.js";

export default function Dialogs() {
  const asked = dialog.value;
  const { kind } = asked;
  if (kind === "report") return html`<${Report} key=${kind} ...${asked} />`;
  if (kind === "remove") return html`<${Remove} key=${kind} ...${asked} />`;
  if (kind === "reject") return html`<${Reject} key=${kind} ...${asked} />`;
  if (kind === "lift") return html`<${Lift} key=${kind} ...${asked} />`;
  return kind in KINDS ? html`<${Sanction} key=${kind} ...${asked} />` : null;
}
