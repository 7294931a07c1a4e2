// The `ws` package alone: one encoding, one send a socket.
"use strict";

const { createServer } = require("node:http");
const { WebSocketServer } = require("ws");
const { eventOf } = require("./event");

const http = createServer();
const server = new WebSocketServer({ server: http, perMessageDeflate: false });
let seq = 0;
server.on("connection", (socket) => {
  socket.on("message", (data) => {
    const message = JSON.parse(data);
    seq += 1;
    const event = JSON.stringify(eventOf(seq, seq, message.client_id, message.body));
    for (const client of server.clients) client.send(event);
  });
});
http.listen(Number(process.env.PORT), "127.0.0.1", 1024);
