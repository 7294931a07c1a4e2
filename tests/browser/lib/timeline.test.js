import { timeline } from "/static/js/lib/timeline.js";
import { equal } from "./check.js";

const ana = { id: 1, display_name: "Ana", is_guest: false };
const ben = { id: 2, display_name: "Ben", is_guest: true };
const at = (minutes, day = 24) => `2026-11-${day}T09:${String(minutes).padStart(2, "0")}:00.000000Z`;
const message = (seq, author, created_at) => ({ id: seq, seq, author, created_at, client_id: `c${seq}`, deleted_at: null });
const rows = (messages, more = {}) =>
  timeline({ messages, notices: [], echoes: [], me: ana, marker: null, read: 0, dayOf: (iso) => iso.slice(0, 10), ...more });
const shape = (list) => list.map((row) => (row.type === "message" ? `${row.message.seq ?? row.message.client_id}${row.first ? "!" : ""}` : row.type));

export const tests = {
  "a run is one author within five minutes"() {
    const list = [message(1, ana, at(0)), message(2, ana, at(5)), message(3, ana, at(11)), message(4, ben, at(12))];
    equal(shape(rows(list)), ["day", "1!", "2", "3!", "4!"]);
  },
  "a new day breaks the run"() {
    equal(shape(rows([message(1, ana, at(59, 23)), message(2, ana, at(0))])), ["day", "1!", "day", "2!"]);
  },
  "what is new stands behind a marker, own messages do not"() {
    const list = [message(1, ben, at(0)), message(2, ana, at(1)), message(3, ben, at(2))];
    const found = rows(list, { marker: { seq: 1, at: null }, read: 1 });
    equal(shape(found), ["day", "1!", "2!", "new", "3!"]);
    equal(found.filter((row) => row.fresh).map((row) => row.message.seq), [3]);
  },
  "what was read keeps the marker and loses its gold"() {
    const found = rows([message(2, ben, at(0))], { marker: { seq: 1, at: null }, read: 2 });
    equal([shape(found), found[2].fresh], [["day", "new", "2!"], false]);
  },
  "a message on its way stands last and goes once it is in the log"() {
    const echo = { client_id: "c9", body: "hi", at: at(3), state: "pending", reply_to: null };
    equal(shape(rows([message(1, ben, at(0))], { echoes: [echo] })), ["day", "1!", "c9!"]);
    equal(shape(rows([message(9, ana, at(0))], { echoes: [echo] })), ["day", "9!"]);
  },
  "a bubble keeps its key when it settles"() {
    const echo = { client_id: "c9", body: "hi", at: at(3), state: "pending", reply_to: null };
    equal(rows([], { echoes: [echo] })[1].key, rows([message(9, ana, at(3))])[1].key);
  },
  "what the room reports stands at its seq and breaks the run"() {
    const notice = { seq: 2, kind: "member.joined", at: at(1), actor: 2, data: { user: ben, role: "member" } };
    const found = rows([message(1, ana, at(0)), message(3, ana, at(2))], { notices: [notice] });
    equal([shape(found), found[2].text], [["day", "1!", "event", "3!"], "\u2068Ben\u2069 joined"]);
  },
};
