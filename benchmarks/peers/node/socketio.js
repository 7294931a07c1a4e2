// Socket.IO as its documentation shows it: WebSocket only, no compression, the Redis adapter where asked.
"use strict";

const { createServer } = require("node:http");
const { Server } = require("socket.io");
const { createAdapter } = require("@socket.io/redis-adapter");
const { createClient } = require("redis");
const { eventOf } = require("./event");

async function main() {
  const http = createServer();
  const io = new Server(http, { transports: ["websocket"], perMessageDeflate: false });
  if (process.env.REDIS_SOCKET) {
    const pub = createClient({ socket: { path: process.env.REDIS_SOCKET } });
    const sub = pub.duplicate();
    await Promise.all([pub.connect(), sub.connect()]);
    io.adapter(createAdapter(pub, sub));
  }
  let seq = 0;
  io.on("connection", (socket) => {
    socket.join("room");
    socket.on("send", (message, acknowledge) => {
      seq += 1;
      io.to("room").emit("event", eventOf(seq, seq, message.client_id, message.body));
      acknowledge({ message: seq, seq });
    });
  });
  http.listen(Number(process.env.PORT), "127.0.0.1", 1024);
}

main();
