// The event that every peer sends: in shape and size what this project's server sends for a new message.
export function posted({ room, client_id, body }, seq, id = seq, at = instant()) {
  return {
    type: "event",
    room,
    seq,
    kind: "message.posted",
    at,
    actor: 1,
    data: {
      message: {
        id,
        room,
        seq,
        client_id,
        author: { id: 1, display_name: "person 1", is_guest: false },
        body,
        html: `<p>${body}</p>\n`,
        reply_to: null,
        created_at: at,
        edited_at: null,
        deleted_at: null,
        deleted_by: null,
      },
    },
  };
}

// With microseconds, as the others write it.
function instant() {
  return new Date().toISOString().replace("Z", "000Z");
}
