// A program with the client library, told by lines of JSON on stdin what to do; prints what it hears.
import { createInterface } from "node:readline";
import WebSocket from "ws";
import { createClient, createLog, createOutbox } from "../../static/js/chat-client/index.js";

const say = (line) => console.log(JSON.stringify(line));
let client, outbox, room;

async function ask(site, token, path, method = "GET") {
  const answer = await fetch(`${site}/api/v1/${path}`, { method, headers: { Authorization: `Bearer ${token}` } });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

async function start({ site, token, room: id }) {
  room = id;
  client = createClient({
    url: `${site.replace("http", "ws")}/ws/v1/`,
    hello: async () => ({ ticket: (await ask(site, token, "realtime/tickets", "POST")).ticket }),
    WebSocket,
  });
  client.on("phase", ({ phase, error }) => say({ phase, error: error?.message }));
  const onEvent = ({ seq, kind, data }) => say({ seq, kind, body: data.message?.body });
  const load = () => ask(site, token, `rooms/${room}/messages`);
  client.follow(room, createLog({ ...(await load()), onEvent, load }));
  outbox = createOutbox(client, { onSent: (item, { seq }) => say({ sent: item.body, seq }) });
  client.connect();
}

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  if (order.start) await start(order.start);
  else if (order.post) outbox.post(room, { body: order.post });
}
client.close();
