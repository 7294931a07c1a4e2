import { createClient, createLog, createOutbox, memoryStore } from "../../../static/js/chat-client/index.js";
import { equal } from "./check.js";

/** The server's end of a socket, played by the test. */
class Wire {
  static opened = [];

  constructor() {
    this.readyState = 1;
    this.asked = [];
    Wire.opened.push(this);
  }

  send(text) {
    this.asked.push(JSON.parse(text));
  }

  close() {
    this.readyState = 3;
  }

  tell(frame) {
    this.onmessage({ data: JSON.stringify(frame) });
  }

  /** Answers the next command, which has to be of this type; the command. */
  async answer(type, data = {}, error = null) {
    const { ref, ...command } = this.asked.shift() ?? {};
    equal(command.type, type);
    this.tell(error ? { type: "reply", ref, ok: false, error } : { type: "reply", ref, ok: true, data });
    await settled();
    return command;
  }

  async greet() {
    this.onopen();
    await settled();
    return this.answer("hello", { user: null, epoch: "e" });
  }
}

/** Everything that waits for no timer and no server has happened. */
const settled = () => new Promise((resolve) => setTimeout(resolve));

async function connected(prepare) {
  Wire.opened = [];
  const client = createClient({ url: "ws://chat.test/ws/v1/", hello: () => ({ ticket: "t" }), WebSocket: Wire });
  const made = prepare(client);
  client.connect();
  await Wire.opened[0].greet();
  return { client, made, wire: Wire.opened[0] };
}

async function again(client) {
  client.reconnect();
  const wire = Wire.opened.at(-1);
  await wire.greet();
  return wire;
}

const event = (seq, room = 7) => ({ type: "event", room, seq, kind: "message.posted", at: "", actor: 1, data: {} });

function followed({ seq = 5, load = () => Promise.reject(new Error("not asked for")) } = {}) {
  const seen = [];
  const lost = [];
  const log = createLog({ seq, epoch: "e", onEvent: (told) => seen.push(told.seq), load, onLost: (code) => lost.push(code) });
  return { seen, lost, log };
}

function sends(client) {
  const sent = [];
  const states = [];
  const outbox = createOutbox(client, {
    store: memoryStore(),
    onChange: (items) => states.push(items.map(({ body, state }) => `${body} ${state}`).join()),
    onSent: (item, reply) => sent.push([item.body, reply.seq]),
  });
  return { outbox, sent, states };
}

export const tests = {
  async "client: hello carries what it was given"() {
    Wire.opened = [];
    const client = createClient({ url: "ws://chat.test/", hello: async () => ({ ticket: "fresh" }), WebSocket: Wire });
    client.connect();
    equal((await Wire.opened[0].greet()).ticket, "fresh");
    client.close();
  },
  async "client: a room's events come once and in order, and what is missing is fetched"() {
    const { seen, log } = followed();
    const { client, wire } = await connected((made) => made.follow(7, log));
    equal(await wire.answer("room.open", { head: 5, epoch: "e" }), { type: "room.open", room: 7, after: 5, epoch: "e" });
    for (const seq of [6, 6, 5, 8]) wire.tell(event(seq));
    equal(seen, [6]);
    equal((await wire.answer("room.open", { head: 8, epoch: "e" })).after, 6);
    for (const seq of [7, 8, 8]) wire.tell(event(seq));
    equal(seen, [6, 7, 8]);
    wire.tell({ type: "heads", rooms: { 7: 8, 9: 3 } });
    equal(wire.asked, []);
    wire.tell({ type: "heads", rooms: { 7: 9 } });
    equal((await wire.answer("room.open", { head: 9, epoch: "e" })).after, 8);
    client.close();
  },
  async "client: after a loss a room goes on from where it stood"() {
    const { seen, log } = followed();
    const { client, wire } = await connected((made) => made.follow(7, log));
    await wire.answer("room.open", { head: 5, epoch: "e" });
    wire.tell(event(6));
    const next = await again(client);
    wire.onmessage?.({ data: JSON.stringify(event(7)) });
    equal(seen, [6]);
    equal((await next.answer("room.open", { head: 7, epoch: "e" })).after, 6);
    next.tell(event(7));
    equal(seen, [6, 7]);
    client.close();
  },
  async "client: a room without a position starts at its head"() {
    const seen = [];
    const log = createLog({ onEvent: (told) => seen.push(told.seq), load: () => null });
    const { client, wire } = await connected((made) => made.follow(7, log));
    equal(await wire.answer("room.open", { head: 41, epoch: "e" }), { type: "room.open", room: 7 });
    wire.tell(event(42));
    equal(seen, [42]);
    client.close();
  },
  async "client: after a resync the room is loaded and goes on from there"() {
    const { seen, log } = followed({ load: async () => ({ seq: 90, epoch: "f" }) });
    const { client, wire } = await connected((made) => made.follow(7, log));
    await wire.answer("room.open", { resync: true, epoch: "f" });
    equal(await wire.answer("room.open", { head: 90, epoch: "f" }), { type: "room.open", room: 7, after: 90, epoch: "f" });
    wire.tell(event(91));
    wire.tell({ type: "resync", room: 7, epoch: "f" });
    await settled();
    await wire.answer("room.open", { head: 91, epoch: "f" });
    equal(seen, [91]);
    client.close();
  },
  async "client: a room that is closed or let go is not opened again"() {
    const [closed, left] = [followed(), followed()];
    const { client, wire } = await connected((made) => [made.follow(7, closed.log), made.follow(8, left.log)]);
    await wire.answer("room.open", { head: 5, epoch: "e" });
    await wire.answer("room.open", { head: 5, epoch: "e" });
    wire.tell({ type: "room.closed", room: 7, code: "banned" });
    client.unfollow(8);
    equal(await wire.answer("room.close"), { type: "room.close", room: 8 });
    wire.tell(event(6, 7));
    wire.tell(event(6, 8));
    equal([closed.seen, closed.lost, left.seen, left.lost], [[], ["banned"], [], []]);
    equal((await again(client)).asked, []);
    client.close();
  },
  async "client: a room that is refused is lost, and the others stay"() {
    const [shut, open] = [followed(), followed()];
    const { client, wire } = await connected((made) => [made.follow(7, shut.log), made.follow(8, open.log)]);
    await wire.answer("room.open", {}, { code: "not_found", message: "", retry: false });
    await wire.answer("room.open", { head: 5, epoch: "e" });
    wire.tell(event(6, 8));
    equal([shut.lost, open.seen], [["not_found"], [6]]);
    client.close();
  },
  async "client: a handler is told until it has had enough"() {
    const told = [];
    const { client, wire } = await connected((made) => made.on("typing", ({ room }) => told.push(room)));
    wire.tell({ type: "typing", room: 7, users: [] });
    client.on("typing", ({ room }) => told.push(-room))();
    wire.tell({ type: "typing", room: 8, users: [] });
    equal(told, [7, 8]);
    client.close();
  },
  async "outbox: one in flight a room, in the order of writing"() {
    const { client, made, wire } = await connected(sends);
    for (const body of ["a", "b"]) made.outbox.post(7, { body });
    made.outbox.post(8, { body: "elsewhere" });
    await settled();
    equal(wire.asked.map(({ body }) => body), ["a", "elsewhere"]);
    await wire.answer("message.post", { message: 1, seq: 3 });
    await wire.answer("message.post", { message: 2, seq: 9 });
    await wire.answer("message.post", { message: 3, seq: 4 });
    equal(made.sent, [["a", 3], ["elsewhere", 9], ["b", 4]]);
    equal(made.states.at(-1), "");
    client.close();
  },
  async "outbox: after a loss the same message goes again, before those after it"() {
    const { client, made, wire } = await connected(sends);
    const first = made.outbox.post(7, { body: "a" });
    await settled();
    equal(wire.asked[0].client_id, first.client_id);
    const next = await again(client);
    made.outbox.post(7, { body: "b" });
    await settled();
    equal((await next.answer("message.post", { message: 1, seq: 3, replayed: true })).client_id, first.client_id);
    equal((await next.answer("message.post", { message: 2, seq: 4 })).body, "b");
    equal(made.sent, [["a", 3], ["b", 4]]);
    client.close();
  },
  async "outbox: what is refused for good fails and can be sent again; the next goes on"() {
    const { client, made, wire } = await connected(sends);
    const first = made.outbox.post(7, { body: "a" });
    made.outbox.post(7, { body: "b" });
    await settled();
    await wire.answer("message.post", {}, { code: "too_large", message: "", retry: false });
    await wire.answer("message.post", { message: 2, seq: 4 });
    equal(made.states.at(-1), "a failed");
    made.outbox.sendAgain(first.client_id);
    await settled();
    equal((await wire.answer("message.post", { message: 1, seq: 5 })).client_id, first.client_id);
    equal(made.states.at(-1), "");
    made.outbox.post(7, { body: "c" });
    await settled();
    await wire.answer("message.post", {}, { code: "muted", message: "", retry: false });
    made.outbox.discard(first.client_id);
    equal(made.states.at(-1), "c failed");
    client.close();
  },
  async "outbox: what may be tried again waits and is not failed"() {
    const { client, made, wire } = await connected(sends);
    made.outbox.post(7, { body: "a" });
    await settled();
    await wire.answer("message.post", {}, { code: "slow_mode", message: "", retry: true, retry_after: 30 });
    equal(made.states.at(-1), "a pending");
    equal(wire.asked, []);
    equal((await (await again(client)).answer("message.post", { message: 1, seq: 3 })).body, "a");
    client.close();
  },
};
