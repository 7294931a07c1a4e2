/** A room's state from a snapshot and its events. Pure: the replay tests run exactly this.
 *
 * State: `seq` is the last event applied, `epoch` the database's incarnation; `entries` are the loaded
 * messages in order, each with the seq its payload is known to reflect (`v`); `late` holds what events
 * told of messages that are not loaded, so that a page read earlier cannot bring back an older text.
 */

export function unloaded(id, seq = 0, epoch = null) {
  return {
    id, seq, epoch, loaded: false, atStart: false, atEnd: false,
    entries: [], late: new Map(), notices: [], room: null,
  };
}

/** A page of messages as the whole state. `page` is {results, seq, epoch}. */
export function fromSnapshot(id, page, { atStart, atEnd, room = null }) {
  const entries = page.results.map((message) => ({ v: page.seq, message }));
  return { ...unloaded(id, page.seq, page.epoch), loaded: true, atStart, atEnd, entries, room };
}

/** Applies the next event. Outcome: "applied", "ignored" (there already) or "gap". */
export function applyEvent(state, event) {
  if (event.seq <= state.seq) return { state, outcome: "ignored" };
  if (event.seq !== state.seq + 1) return { state, outcome: "gap" };
  const change = CHANGES[event.kind];
  const next = change ? change(state, event) : state;
  return { state: { ...next, seq: event.seq }, outcome: "applied" };
}

/** Older messages, read before what is loaded. */
export function prependPage(state, page, { atStart }) {
  const known = new Set(state.entries.map((entry) => entry.message.id));
  const { entries, late } = freshest(state, page);
  const older = entries.filter((entry) => !known.has(entry.message.id));
  return { ...state, entries: [...older, ...state.entries], late, atStart };
}

/** Newer messages, read after what is loaded. At the end, those posted while it was read follow. */
export function appendPage(state, page, { atEnd }) {
  const known = new Set(state.entries.map((entry) => entry.message.id));
  const { entries, late } = freshest(state, page);
  const all = [...state.entries, ...entries.filter((entry) => !known.has(entry.message.id))];
  if (atEnd) {
    const last = all.length ? all[all.length - 1].message.seq : 0;
    const rest = [...late.values()].filter((entry) => entry.message.seq > last);
    rest.sort((a, b) => a.message.seq - b.message.seq);
    for (const entry of rest) late.delete(entry.message.id);
    all.push(...rest);
  }
  return { ...state, entries: all, late, atEnd };
}

export function messagesOf(state) {
  return state.entries.map((entry) => entry.message);
}

function freshest(state, page) {
  const late = new Map(state.late);
  const entries = page.results.map((message) => {
    const newer = late.get(message.id);
    late.delete(message.id);
    return newer && newer.v > page.seq ? newer : { v: page.seq, message };
  });
  return { entries, late };
}

const CHANGES = {
  "message.posted": posted,
  "message.approved": posted,
  "message.edited": changed,
  "message.deleted": changed,
  "message.restored": changed,
  "member.joined": noticed,
  "member.left": noticed,
  "member.role_changed": noticed,
  "member.sanctioned": noticed,
  "member.unsanctioned": noticed,
  "room.updated": roomChanged,
  "room.archived": roomChanged,
};

function posted(state, event) {
  if (!state.loaded) return state;
  const entry = { v: event.seq, message: event.data.message };
  const index = state.entries.findIndex((other) => other.message.id === entry.message.id);
  if (index >= 0) return withEntry(state, index, entry);
  if (!state.atEnd) return withLate(state, entry);
  return { ...state, entries: [...state.entries, entry] };
}

function changed(state, event) {
  if (!state.loaded) return state;
  const entry = { v: event.seq, message: event.data.message };
  const index = state.entries.findIndex((other) => other.message.id === entry.message.id);
  return index >= 0 ? withEntry(state, index, entry) : withLate(state, entry);
}

function withEntry(state, index, entry) {
  if (state.entries[index].v > entry.v) return state;
  const entries = state.entries.slice();
  entries[index] = entry;
  return { ...state, entries };
}

function withLate(state, entry) {
  const late = new Map(state.late);
  late.set(entry.message.id, entry);
  return { ...state, late };
}

function noticed(state, event) {
  if (!state.loaded) return state;
  const { seq, kind, at, actor, data } = event;
  return { ...state, notices: [...state.notices, { seq, kind, at, actor, data }] };
}

function roomChanged(state, event) {
  const before = state.room;
  const room = { ...before, ...event.data.room };
  const next = { ...state, room };
  if (!state.loaded || !before) return next;
  const { seq, kind, at, actor } = event;
  return { ...next, notices: [...state.notices, { seq, kind, at, actor, data: { before, room } }] };
}
