// Socket.IO: one process, or several through its Redis adapter where REDIS_SOCKET is given.
import "./collect.js";
import { createAdapter } from "@socket.io/redis-adapter";
import { createClient } from "redis";
import { Server } from "socket.io";
import { posted } from "./event.js";

const io = new Server({ transports: ["websocket"], perMessageDeflate: false, serveClient: false });
if (process.env.REDIS_SOCKET) {
  const publisher = createClient({ socket: { path: process.env.REDIS_SOCKET } });
  const subscriber = publisher.duplicate();
  await Promise.all([publisher.connect(), subscriber.connect()]);
  io.adapter(createAdapter(publisher, subscriber));
}
let seq = 0;

io.on("connection", (socket) => {
  socket.on("join", async (room, reply) => {
    await socket.join(`room.${room}`);
    reply(true);
  });
  socket.on("post", (content, reply) => {
    seq += 1;
    io.to(`room.${content.room}`).emit("event", posted(content, seq));
    reply(true);
  });
});

io.listen(Number(process.env.PORT));
io.httpServer.on("listening", () => console.log("Ready"));
