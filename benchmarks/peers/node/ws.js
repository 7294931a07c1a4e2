// The bare `ws` library, one process: the event is encoded once and sent to each socket.
import "./collect.js";
import { WebSocketServer } from "ws";
import { posted } from "./event.js";

const server = new WebSocketServer({ host: "127.0.0.1", port: Number(process.env.PORT), perMessageDeflate: false, backlog: 4096 });
const rooms = new Map();
let seq = 0;

server.on("connection", (socket) => {
  const joined = [];
  socket.on("message", (frame) => {
    const content = JSON.parse(frame);
    if (content.type === "join") {
      if (!rooms.has(content.room)) rooms.set(content.room, new Set());
      rooms.get(content.room).add(socket);
      joined.push(content.room);
    } else {
      seq += 1;
      const text = Buffer.from(JSON.stringify(posted(content, seq)));
      for (const reader of rooms.get(content.room) ?? []) reader.send(text, { binary: false });
    }
    socket.send(JSON.stringify({ type: "reply", ref: content.ref, ok: true }));
  });
  socket.on("error", () => {});
  socket.on("close", () => joined.forEach((room) => rooms.get(room).delete(socket)));
});
server.on("listening", () => console.log("Ready"));
