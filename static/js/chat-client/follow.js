/** Keeps rooms on the socket: opens them after each hello, heals gaps, loads again after a resync. */

const RETRY_MS = 2_000;

/** A room's log in memory: each event once, in the order of seq. */
export function createLog({ seq = 0, epoch = null, onEvent, load, onLost = () => null }) {
  let at = { seq, epoch };
  return {
    at: () => at,
    apply(event) {
      if (event.seq <= at.seq) return "ignored";
      if (event.seq !== at.seq + 1) return "gap";
      at = { ...at, seq: event.seq };
      onEvent(event);
      return "applied";
    },
    startAt: ({ head, epoch }) => (at = { seq: Math.max(at.seq, head), epoch }),
    async reload() {
      at = await load();
    },
    lose: onLost,
  };
}

export function createFollower(request) {
  const logs = new Map();
  const opening = new Map();

  async function open(id) {
    const log = logs.get(id);
    if (!log || opening.has(id)) return;
    const token = {};
    opening.set(id, token);
    const isOurs = () => opening.get(id) === token && logs.get(id) === log;
    const { seq, epoch } = log.at();
    try {
      const answer = await request("room.open", epoch ? { room: id, after: seq, epoch } : { room: id });
      if (!isOurs()) return;
      opening.delete(id);
      if (answer.resync) await reload(id);
      else if (!epoch) log.startAt(answer);
    } catch (refusal) {
      if (!isOurs()) return;
      opening.delete(id);
      if (refusal.isGone) lose(id, refusal.code);
      else if (refusal.retryAfter !== null || refusal.message !== "no connection") again(() => open(id), refusal);
    }
  }

  /** The room's state anew, then on from its seq: after a resync nothing follows by itself. */
  async function reload(id) {
    const log = logs.get(id);
    if (!log) return;
    try {
      await log.reload();
    } catch (refusal) {
      if (refusal.isGone) lose(id, refusal.code);
      else again(() => logs.get(id) === log && reload(id), refusal);
      return;
    }
    await open(id);
  }

  function again(work, refusal) {
    setTimeout(work, refusal.retryAfter ? refusal.retryAfter * 1000 : RETRY_MS);
  }

  function lose(id, code) {
    const log = logs.get(id);
    forget(id);
    log?.lose(code);
  }

  function forget(id) {
    logs.delete(id);
    opening.delete(id);
  }

  const heard = {
    event(event) {
      if (logs.get(event.room)?.apply(event) === "gap") open(event.room);
    },
    heads({ rooms }) {
      for (const [key, seq] of Object.entries(rooms)) {
        const id = Number(key);
        if (logs.has(id) && logs.get(id).at().seq < seq) open(id);
      }
    },
    resync: ({ room }) => reload(room),
    "room.closed": ({ room, code }) => lose(room, code),
  };

  return {
    hear: (frame) => heard[frame.type]?.(frame),
    /** Keeps the room on the socket; one that is kept already catches up. */
    follow(id, log) {
      if (!logs.has(id)) logs.set(id, log);
      return open(id);
    },
    unfollow(id) {
      if (!logs.has(id)) return;
      forget(id);
      request("room.close", { room: id }).catch(() => null); // without a connection nothing is open
    },
    /** Nothing is open on a new socket. */
    reset: () => opening.clear(),
    resume() {
      for (const id of logs.keys()) open(id);
    },
  };
}
