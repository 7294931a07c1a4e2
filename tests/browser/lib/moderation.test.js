import { CATEGORIES, categoryLabel, doneText, forTime, KINDS, sanctionLine } from "/static/js/lib/sanctions.js";
import { reasonGiven } from "/static/js/lib/text.js";
import { timeline } from "/static/js/lib/timeline.js";
import { barWords, noticeWords } from "/static/js/lib/told.js";
import { equal } from "./check.js";

const since = (iso) => iso.slice(11, 16);
const ends_at = "2026-11-24T10:25:00.000000Z";
const words = (kind, data) => {
  const { title, text } = noticeWords({ kind, data }, since);
  return [title, text];
};
const ana = { id: 1, display_name: "Ana", is_guest: false };
const at = (minutes) => `2026-11-24T09:${String(minutes).padStart(2, "0")}:00.000000Z`;
const message = (seq) => ({ id: seq, seq, author: { id: 2 }, created_at: at(seq), client_id: `c${seq}`, deleted_at: null });
const held = (minutes, state = "held") => ({ client_id: `h${minutes}`, body: "hi", html: "<p>hi</p>", at: at(minutes), state, reply_to: null });
const rows = (messages, echoes) =>
  timeline({ messages, notices: [], echoes, me: ana, marker: null, read: 0, dayOf: (iso) => iso.slice(0, 10) })
    .filter(({ type }) => type === "message")
    .map((row) => row.message.seq ?? `${row.message.client_id} ${row.state}`);

export const tests = {
  "a reason is a sentence, and none is nothing"() {
    equal([reasonGiven("Hate"), reasonGiven("Hate: no!"), reasonGiven("")], ["Reason given: Hate.", "Reason given: Hate: no!", ""]);
  },
  "a mute says where and until when"() {
    const mute = { sanction: "mute", room: 1, room_name: "Tea", reason: "Hate", ends_at };
    equal(words("sanctioned", mute), ["You cannot write in \u2068Tea\u2069 until 10:25", "Reason given: Hate."]);
    equal(words("sanctioned", { ...mute, room: null, room_name: null, ends_at: null }), ["You cannot write", "Reason given: Hate."]);
  },
  "a kick says when one can come back, a ban until when it lasts"() {
    const bar = { name: "Tea", reason: "Hate", ends_at };
    equal(barWords({ ...bar, kind: "kick" }, since).text, "Reason given: Hate. You can come back at 10:25.");
    equal(barWords({ ...bar, kind: "ban" }, since).title, "You are banned from \u2068Tea\u2069 until 10:25");
    equal(barWords({ ...bar, kind: "ban", name: null, ends_at: null }, since).title, "You are banned");
  },
  "only a warning asks to be understood"() {
    const told = (sanction) => noticeWords({ kind: "sanctioned", data: { sanction, room_name: "Tea", reason: "" } }, since).understood ?? false;
    equal(["warn", "mute", "kick", "ban"].map(told), [true, false, false, false]);
  },
  "a kind that is not known is not told"() {
    equal(noticeWords({ kind: "something.new", data: {} }, since), null);
  },
  "what is lifted is told by what it forbade"() {
    const lifted = (sanction, room_name) => words("unsanctioned", { sanction, room_name })[0];
    equal([lifted("mute", "Tea"), lifted("ban", "Tea"), lifted("ban", null)], ["You can write in \u2068Tea\u2069 again", "\u2068Tea\u2069 is open to you again", "You are no longer banned"]);
  },
  "every time that is offered has its words"() {
    const spans = Object.values(KINDS).flatMap((kind) => kind.spans);
    equal(spans.map(forTime).filter((text) => text.includes("undefined")), []);
    equal([doneText("mute", "Bo", 60), doneText("ban", "Bo", null)], ["\u2068Bo\u2069 cannot write for an hour", "\u2068Bo\u2069 is banned for ever"]);
    equal([sanctionLine({ kind: "mute", ends_at }, since), sanctionLine({ kind: "warn", ends_at: null }, since)], ["Muted until 10:25", "Warned"]);
  },
  "categories have their words, and unknown ones their name"() {
    equal([categoryLabel("hate"), categoryLabel("new"), CATEGORIES.length], ["Hate", "new", 10]);
  },
  "a held message stands at its time, one on its way at the end"() {
    const echoes = [held(2), { ...held(1), client_id: "p", state: "pending" }, held(9, "rejected")];
    equal(rows([message(1), message(3)], echoes), [1, "h2 held", 3, "h9 rejected", "p pending"]);
  },
  "a held message goes once it is in the log"() {
    const approved = { ...message(5), author: ana, client_id: "h2" };
    equal(rows([message(1), approved], [held(2)]), [1, 5]);
  },
};
