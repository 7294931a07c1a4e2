// Socket.IO and node-postgres: each send is one transaction, acknowledged and emitted after its commit.
import "./collect.js";
import pg from "pg";
import { Server } from "socket.io";
import { posted } from "./event.js";

// Where the database is comes from libpq's PGHOST, PGUSER and PGDATABASE.
const pool = new pg.Pool({ max: 10 });
const io = new Server({ transports: ["websocket"], perMessageDeflate: false, serveClient: false });
let people = 0;

// Named statements are parsed and planned once a connection.
const statements = {
  lock: "SELECT last_seq, clock_timestamp() AS now FROM room WHERE id = $1 FOR NO KEY UPDATE",
  earlier: "SELECT id, seq FROM message WHERE room_id = $1 AND author_id = $2 AND client_id = $3",
  message: `INSERT INTO message (room_id, seq, author_id, client_id, body, html, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id`,
  event: `INSERT INTO event (room_id, seq, kind, actor_id, message_id, data, created_at)
          VALUES ($1, $2, 'message.posted', $3, $4, '{}', $5)`,
  head: "UPDATE room SET last_seq = $2 WHERE id = $1",
};

async function post({ room, client_id, body }, author) {
  const client = await pool.connect();
  const run = async (name, ...values) => (await client.query({ name, text: statements[name], values })).rows[0];
  try {
    await client.query("BEGIN");
    const { last_seq, now } = await run("lock", room);
    const earlier = await run("earlier", room, author, client_id);
    if (earlier) {
      await client.query("ROLLBACK");
      return { ...earlier, replayed: true };
    }
    const seq = Number(last_seq) + 1;
    const { id } = await run("message", room, seq, author, client_id, body, `<p>${body}</p>\n`, now);
    await run("event", room, seq, author, id, now);
    await run("head", room, seq);
    await client.query("COMMIT");
    return { id: Number(id), seq, at: now.toISOString(), replayed: false };
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  } finally {
    client.release();
  }
}

// Two transactions may end in one order and be emitted in the other: a room's events wait for their turn.
const rooms = await pool.query("SELECT id, last_seq FROM room");
const heads = new Map(rooms.rows.map(({ id, last_seq }) => [Number(id), Number(last_seq)]));
const early = new Map();

function emitInOrder(content, { id, seq, at }) {
  const { room } = content;
  early.set(`${room}.${seq}`, posted(content, seq, id, at));
  let next = heads.get(room) + 1;
  while (early.has(`${room}.${next}`)) {
    io.to(`room.${room}`).emit("event", early.get(`${room}.${next}`));
    early.delete(`${room}.${next}`);
    heads.set(room, next);
    next += 1;
  }
}

io.on("connection", (socket) => {
  const author = (people++ % 64) + 1;
  socket.on("join", async (room, reply) => {
    await socket.join(`room.${room}`);
    reply(true);
  });
  socket.on("post", async (content, reply) => {
    try {
      const result = await post(content, author);
      reply({ message: result.id, seq: result.seq, replayed: result.replayed });
      if (!result.replayed) emitInOrder(content, result);
    } catch (error) {
      console.error(error);
      reply(false);
    }
  });
});

io.listen(Number(process.env.PORT));
io.httpServer.on("listening", () => console.log("Ready"));
