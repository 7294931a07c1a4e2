// The event every peer sends: the fields and the size of our `message.posted`.
"use strict";

exports.eventOf = (seq, id, clientId, body) => ({
  type: "event",
  room: 1,
  seq,
  kind: "message.posted",
  at: new Date().toISOString(),
  actor: 1,
  data: {
    message: {
      id,
      room: 1,
      seq,
      client_id: clientId,
      author: { id: 1, display_name: "bench-000001", is_guest: false },
      body,
      html: `<p>${body}</p>`,
      reply_to: null,
      created_at: new Date().toISOString(),
      edited_at: null,
      deleted_at: null,
      deleted_by: null,
    },
  },
});

// Collects before memory is measured; needs node --expose-gc.
process.on("SIGUSR2", () => global.gc());
