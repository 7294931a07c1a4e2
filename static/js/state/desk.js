/** What waits for a moderator in the open room: held messages and reports, read again at each hint. */

import { rest } from "../net/rest.js";
import { signal } from "../vendor/preact.js";
import { goTo } from "./history.js";
import { takeBack } from "./moderation.js";
import { rooms, may } from "./rooms.js";
import { say, waiting } from "./view.js";

const SETTLE_MS = 250;

/** {held, reports, failed} by room id. */
export const queues = signal({});

const due = new Map();

/** Reads what waits; several wishes in a moment are one. */
export function count(id) {
  if (!may(rooms.value.get(id), "moderate")) return;
  clearTimeout(due.get(id));
  due.set(id, setTimeout(() => read(id), SETTLE_MS));
}

async function read(id) {
  const list = (path, query = {}) => rest("GET", `moderation/${path}`, { query: { room: id, ...query } });
  try {
    const [held, reports] = await Promise.all([list("held"), list("reports", { state: "waiting" })]);
    const isMore = Boolean(held.next || reports.next);
    const counts = { held: held.results.length, reports: reports.results.length, isMore };
    waiting.value = { ...waiting.value, [id]: counts };
    queues.value = { ...queues.value, [id]: { held: held.results, reports: reports.results } };
  } catch {
    queues.value = { ...queues.value, [id]: { held: [], reports: [], ...queues.value[id], failed: true } };
  }
}

/** Lets a held message in, or keeps it out with a reason. Throws a Refusal. */
export async function decideHeld(held, verb, why = null) {
  await decided(held.room, () => rest("POST", `moderation/held/${held.id}/${verb}`, { body: why ?? {} }));
  const undo = { label: "Undo", run: () => takeBack(held.room, `held:${held.id}`).then(() => count(held.room)) };
  say(verb === "approve" ? "Message let in" : "Message kept out", { act: undo });
}

/** Says whether a report is right. Throws a Refusal. */
export async function decideReport(report, outcome) {
  await decided(report.room, () => rest("POST", `moderation/reports/${report.id}/decide`, { body: { outcome } }));
  const undo = { label: "Undo", run: () => takeBack(report.room, `report:${report.id}`).then(() => count(report.room)) };
  say(outcome === "upheld" ? "Report upheld. Its reporter is told." : "Report dismissed. Its reporter is told.", { act: undo });
}

/** What is decided goes from the list, also where somebody else was first. */
async function decided(room, work) {
  try {
    return await work();
  } finally {
    count(room);
  }
}

/** Goes to the message that is reported. */
export async function show(report) {
  try {
    goTo((await rest("GET", `messages/${report.message}`)).seq);
  } catch (refusal) {
    say(refusal.message, { icon: "alert" });
  }
}
