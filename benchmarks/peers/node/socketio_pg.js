// Socket.IO with durable sends: the work of ours, in one transaction a send, over node-postgres' pool of 10.
"use strict";

const { createServer } = require("node:http");
const { Pool } = require("pg");
const { Server } = require("socket.io");
const { eventOf } = require("./event");

const pool = new Pool({ max: 10 }); // PGHOST, PGUSER, PGDATABASE

const SCHEMA = `
  DROP TABLE IF EXISTS peer_event, peer_message, peer_room;
  CREATE TABLE peer_room (id bigint PRIMARY KEY, last_seq bigint NOT NULL DEFAULT 0);
  CREATE TABLE peer_message (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    room_id bigint NOT NULL REFERENCES peer_room, seq bigint NOT NULL, author_id bigint NOT NULL,
    client_id uuid NOT NULL, body text NOT NULL, html text NOT NULL, created_at timestamptz NOT NULL,
    UNIQUE (room_id, seq), UNIQUE (room_id, author_id, client_id));
  CREATE INDEX ON peer_message (room_id, author_id, seq DESC);
  CREATE TABLE peer_event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    room_id bigint NOT NULL REFERENCES peer_room, seq bigint NOT NULL, kind text NOT NULL,
    actor_id bigint NOT NULL, message_id bigint NOT NULL REFERENCES peer_message,
    data jsonb NOT NULL DEFAULT '{}', created_at timestamptz NOT NULL, UNIQUE (room_id, seq));
  INSERT INTO peer_room (id) SELECT generate_series(1, 20);`;

async function write({ room, author, client_id: clientId, body }) {
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    const locked = await client.query({
      name: "lock",
      text: "SELECT last_seq, clock_timestamp() AS now FROM peer_room WHERE id = $1 FOR NO KEY UPDATE",
      values: [room],
    });
    const earlier = await client.query({
      name: "earlier",
      text: "SELECT id, seq FROM peer_message WHERE room_id = $1 AND author_id = $2 AND client_id = $3",
      values: [room, author, clientId],
    });
    if (earlier.rows.length) {
      await client.query("COMMIT");
      return { ...earlier.rows[0], replayed: true };
    }
    const seq = Number(locked.rows[0].last_seq) + 1;
    const now = locked.rows[0].now;
    const message = await client.query({
      name: "message",
      text:
        "INSERT INTO peer_message (room_id, seq, author_id, client_id, body, html, created_at) " +
        "VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
      values: [room, seq, author, clientId, body, `<p>${body}</p>`, now],
    });
    const id = Number(message.rows[0].id);
    await client.query({
      name: "event",
      text:
        "INSERT INTO peer_event (room_id, seq, kind, actor_id, message_id, created_at) " +
        "VALUES ($1, $2, 'message.posted', $3, $4, $5)",
      values: [room, seq, author, id, now],
    });
    await client.query({
      name: "head",
      text: "UPDATE peer_room SET last_seq = $2 WHERE id = $1",
      values: [room, seq],
    });
    await client.query("COMMIT");
    return { id, seq, replayed: false };
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  } finally {
    client.release();
  }
}

async function main() {
  await pool.query(SCHEMA);
  const http = createServer();
  const io = new Server(http, { transports: ["websocket"], perMessageDeflate: false });
  io.on("connection", (socket) => {
    socket.on("join", (room, acknowledge) => {
      socket.join(`room.${room}`);
      acknowledge({});
    });
    socket.on("send", async (message, acknowledge) => {
      const { id, seq, replayed } = await write(message);
      if (!replayed) {
        io.to(`room.${message.room}`).emit("event", eventOf(seq, id, message.client_id, message.body));
      }
      acknowledge({ message: id, seq });
    });
  });
  http.listen(Number(process.env.PORT), "127.0.0.1", 1024);
}

main();
