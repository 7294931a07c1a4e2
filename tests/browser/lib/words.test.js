import { isFinal, reconnectDelay } from "/static/js/chat-client/backoff.js";
import { noticeLines } from "/static/js/lib/notices.js";
import { countLabel, length, listed, paragraphs, withEdited } from "/static/js/lib/text.js";
import { chooseLocale, makeTimes } from "/static/js/lib/times.js";
import { equal } from "./check.js";

const now = () => new Date("2026-11-24T12:00:00Z");
const times = makeTimes("en-GB", { timeZone: "UTC", now });

export const tests = {
  "times: today, this week, before"() {
    equal(times.when("2026-11-24T09:41:00Z"), "09:41");
    equal(times.when("2026-11-21T09:41:00Z"), "Sat");
    equal(times.when("2026-10-02T09:41:00Z"), "2 Oct");
  },
  "times: days"() {
    equal(times.day("2026-11-24T00:00:00Z"), "Today");
    equal(times.day("2026-11-23T23:59:00Z"), "Monday 23 November");
    equal(times.day("2025-11-23T23:59:00Z"), "Sunday, 23 November 2025");
  },
  "times: a day is the reader's own"() {
    const auckland = makeTimes("en-GB", { timeZone: "Pacific/Auckland", now });
    equal(auckland.dayOf("2026-11-24T12:00:00Z"), "2026-11-25");
  },
  "locale: the reader's region where it speaks the page's language"() {
    equal(chooseLocale("en", ["de-DE", "en-US"]), "en-US");
    equal(chooseLocale("en", ["de-DE"]), "en-GB");
  },
  "length counts code points, as the server does"() {
    equal(length("añ🎉"), 3);
  },
  "edited stands after the last word"() {
    equal(withEdited("<p>a</p>", "t"), '<p>a <span class="message__edited" title="t">edited</span></p>');
    equal(withEdited("<pre>a</pre>", "t"), '<pre>a</pre><p class="message__edited" title="t">edited</p>');
  },
  "lists, counts and paragraphs in words"() {
    equal([listed(["a"]), listed(["a", "b", "c"]), countLabel(100)], ["a", "a, b and c", "99+"]);
    equal(paragraphs("a\nb\n\nc"), [["a", "b"], ["c"]]);
  },
  "waits grow with full jitter up to 30 s and keep to what the server asked for"() {
    equal(reconnectDelay(0, null, () => 1), 500);
    equal(reconnectDelay(20, null, () => 1), 30_000);
    equal(reconnectDelay(3, 7, () => 0), 7_000);
    equal([isFinal(4001), isFinal(4504), isFinal(1006)], [false, true, false]);
  },
  "a change of the room is told once for each thing that changed"() {
    const before = { name: "A", topic: "t", slow_mode: 0, guest_policy: "read" };
    const notice = { kind: "room.updated", actor: 5, data: { before, room: { ...before, name: "B", slow_mode: 30 } } };
    const lines = noticeLines(notice, { nameOf: () => "Ana", me: null }).map(({ text }) => text);
    equal(lines, ["\u2068Ana\u2069 renamed the room to \u2068B\u2069", "Slow mode is on: one message every 30 s"]);
  },
};
