import { appendPage, applyEvent, fromSnapshot, messagesOf, prependPage, unloaded } from "/static/js/lib/reduce.js";
import { equal } from "./check.js";

const message = (seq, body = `m${seq}`) => ({ id: 100 + seq, seq, body, author: { id: 1 } });
const event = (seq, kind, data) => ({ room: 1, seq, kind, at: "2026-11-24T09:00:00Z", actor: 1, data });
const posted = (seq) => event(seq, "message.posted", { message: message(seq) });
const page = (seqs, seq) => ({ results: seqs.map((each) => message(each)), seq, epoch: "e" });
const whole = (seqs, seq) => fromSnapshot(1, page(seqs, seq), { atStart: true, atEnd: true });
const bodies = (state) => messagesOf(state).map(({ body }) => body);

export const tests = {
  "the next event is applied"() {
    const { state, outcome } = applyEvent(whole([1, 2], 2), posted(3));
    equal([outcome, state.seq, bodies(state)], ["applied", 3, ["m1", "m2", "m3"]]);
  },
  "an event it already has changes nothing"() {
    const before = whole([1, 2], 2);
    const { state, outcome } = applyEvent(before, posted(2));
    equal([outcome, state === before], ["ignored", true]);
  },
  "a gap applies nothing"() {
    const { state, outcome } = applyEvent(whole([1], 1), posted(3));
    equal([outcome, state.seq], ["gap", 1]);
  },
  "an event of an unknown kind moves the seq only"() {
    const { state } = applyEvent(whole([1], 1), event(2, "message.pinned", {}));
    equal([state.seq, bodies(state)], [2, ["m1"]]);
  },
  "edits and deletions replace the message in its place"() {
    const edited = applyEvent(whole([1, 2], 2), event(3, "message.edited", { message: message(1, "new") })).state;
    const gone = { ...message(2, ""), deleted_at: "2026-11-24T09:00:00Z" };
    const { state } = applyEvent(edited, event(4, "message.deleted", { message: gone }));
    equal(bodies(state), ["new", ""]);
  },
  "a room that is only followed keeps its seq and no messages"() {
    const { state } = applyEvent(unloaded(1, 4, "e"), posted(5));
    equal([state.seq, state.entries.length, state.late.size], [5, 0, 0]);
  },
  "an older page goes before, without repeats"() {
    const state = prependPage(whole([3, 4], 4), page([1, 2, 3], 4), { atStart: true });
    equal(bodies(state), ["m1", "m2", "m3", "m4"]);
  },
  "a page read before an edit does not bring back the old text"() {
    const state = applyEvent(whole([3, 4], 4), event(5, "message.edited", { message: message(1, "new") })).state;
    equal(bodies(prependPage(state, page([1, 2], 4), { atStart: true }))[0], "new");
  },
  "a page read after an event is not set back by it"() {
    const state = prependPage(whole([3], 3), { ...page([1], 5), results: [message(1, "newest")] }, { atStart: true });
    const between = applyEvent(state, event(4, "message.edited", { message: message(1, "older") })).state;
    equal(bodies(between)[0], "newest");
  },
  "messages posted while the reader is in the past follow once the end is reached"() {
    const past = fromSnapshot(1, page([1, 2], 4), { atStart: true, atEnd: false });
    const later = applyEvent(past, posted(5)).state;
    equal(bodies(later), ["m1", "m2"]);
    equal(bodies(appendPage(later, page([3, 4], 4), { atEnd: true })), ["m1", "m2", "m3", "m4", "m5"]);
  },
  "a notice keeps what was before a change of the room"() {
    const start = fromSnapshot(1, page([], 1), { atStart: true, atEnd: true, room: { name: "Old" } });
    const { state } = applyEvent(start, event(2, "room.updated", { room: { name: "New" } }));
    equal([state.room.name, state.notices[0].data.before.name], ["New", "Old"]);
  },
};
