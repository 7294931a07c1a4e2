/** The client of the chat. The contract behind it: docs/protocol.md; a guide: docs/client.md. */

export type RoomId = number;
export type MessageId = number;
/** ISO 8601, UTC. */
export type Instant = string;

export interface Person {
  id: number;
  display_name: string;
  is_guest: boolean;
}

export interface Message {
  id: MessageId;
  room: RoomId;
  /** Its place in the room's log. */
  seq: number;
  client_id: string;
  author: Person;
  /** Markdown as it was written; empty once deleted. */
  body: string;
  /** Safe to show: made by the server. */
  html: string;
  reply_to: MessageId | null;
  created_at: Instant;
  edited_at: Instant | null;
  deleted_at: Instant | null;
  deleted_by: "author" | "moderator" | null;
}

export type Role = "member" | "moderator" | "owner";

export interface Room {
  id: RoomId;
  slug: string;
  name: string;
  topic: string;
  kind: "public" | "announcement" | "private";
  guest_policy: "none" | "read" | "approval" | "write";
  /** Seconds; 0 is off. */
  slow_mode: number;
  hide_after_reports: number;
  archived_at: Instant | null;
  /** The seq of the newest event. */
  head: number;
}

interface EventOf<Kind extends string, Data> {
  type: "event";
  room: RoomId;
  seq: number;
  kind: Kind;
  at: Instant;
  /** Who did it; null for the system. */
  actor: number | null;
  data: Data;
}

type WithMessage = { message: Message };
type WithUser = { user: Person };
type WithRole = { user: Person; role: Role };
type WithSanction = { user: Person; kind: "mute" | "kick" | "ban" };
type WithRoom = { room: Room };

/** What happened in a room. `kind` tells which `data` it has. */
export type ChatEvent =
  | EventOf<"message.posted", WithMessage>
  | EventOf<"message.approved", WithMessage>
  | EventOf<"message.edited", WithMessage>
  | EventOf<"message.deleted", WithMessage>
  | EventOf<"message.restored", WithMessage>
  | EventOf<"member.joined", WithRole>
  | EventOf<"member.left", WithUser>
  | EventOf<"member.role_changed", WithRole>
  | EventOf<"member.sanctioned", WithSanction>
  | EventOf<"member.unsanctioned", WithSanction>
  | EventOf<"room.updated", WithRoom>
  | EventOf<"room.archived", WithRoom>;

export interface Hello {
  user: Person | null;
  epoch: string;
  server_time: Instant;
  /** Seconds between the server's pings. */
  heartbeat: number;
  limits: Record<string, number>;
}

/** "connecting"; "ready"; "waiting" until `retryAt` (ms since 1970); "stopped" for good with the close `code`. */
export interface Phase {
  phase: "connecting" | "ready" | "waiting" | "stopped";
  retryAt?: number;
  code?: number;
  bye?: { code: number; reason: string; retry_after?: number } | null;
  /** Why the last hello did not succeed: a Refusal, or what `hello` threw. */
  error?: Error | null;
}

/** What is told, by type. Events come as the server sends them: take those of a room you follow from its log. */
export interface Told {
  phase: Phase;
  hello: Hello;
  close: undefined;
  event: ChatEvent;
  heads: { type: "heads"; rooms: Record<string, number> };
  resync: { type: "resync"; room: RoomId; epoch: string };
  "room.closed": { type: "room.closed"; room: RoomId; code: string };
  read: { type: "read"; room: RoomId; seq: number };
  typing: { type: "typing"; room: RoomId; users: Person[] };
  notification: { type: "notification"; kind: string; data: Record<string, unknown> };
}

/** A command that was refused. `code` is one of the protocol's; `retryAfter` in seconds. */
export class Refusal extends Error {
  constructor(body: {
    code: string;
    message?: string;
    detail?: string;
    retry?: boolean;
    retry_after?: number | null;
    fields?: Record<string, string[]> | null;
  });
  code: string;
  retry: boolean;
  retryAfter: number | null;
  fields: Record<string, string[]> | null;
  /** Whether what was asked for is not open to the caller. */
  readonly isGone: boolean;
}

export interface Position {
  seq: number;
  /** The database's incarnation; null before the room was opened for the first time. */
  epoch: string | null;
}

/** Where a followed room's events go. `createLog` makes the usual one. */
export interface Log {
  /** How far it has come. */
  at(): Position;
  /** "applied" when it was the next; "ignored" when it had it; "gap" when one is missing, which is then fetched. */
  apply(event: ChatEvent): "applied" | "ignored" | "gap";
  /** Called at the first opening without a position: what follows comes after `head`. */
  startAt(answer: { head: number; epoch: string }): void;
  /** Loads the room's present state, because events cannot lead there. Thrown: tried again, or lost if `isGone`. */
  reload(): Promise<void>;
  /** The room is not open to the person any more. */
  lose(code: string): void;
}

export function createLog(options: {
  seq?: number;
  epoch?: string | null;
  /** Gets each event once, in the order of seq. */
  onEvent(event: ChatEvent): void;
  /** The position of the state that it loads. */
  load(): Promise<Position>;
  onLost?(code: string): void;
}): Log;

export interface Client {
  connect(): void;
  /** At once a new socket, for another session or on the person's wish. */
  reconnect(): void;
  /** For good. */
  close(): void;
  /** The data of the reply. Throws a Refusal; without a connection at once, after 15 s without an answer. */
  request<Data = Record<string, unknown>>(type: string, fields?: Record<string, unknown>): Promise<Data>;
  /** Keeps a room's events coming, over every loss. A room that is followed already catches up. */
  follow(room: RoomId, log: Log): Promise<void>;
  unfollow(room: RoomId): void;
  /** Gives the way to stop. */
  on<Type extends keyof Told>(type: Type, handler: (what: Told[Type]) => void): () => void;
}

export function createClient(options: {
  /** `wss://…/ws/v1/` */
  url: string;
  /** The fields of each hello: a fresh `ticket` where no cookie says who it is. Thrown: tried again later. */
  hello?(): HelloFields | null | Promise<HelloFields | null>;
  /** For surroundings without one of their own, such as Node before 22. */
  WebSocket?: new (url: string, protocol: string) => unknown;
}): Client;

export interface HelloFields {
  ticket?: string;
  client?: string;
}

export interface OutboxItem {
  client_id: string;
  room: RoomId;
  body: string;
  reply_to: MessageId | null;
  /** When it was written. */
  at: Instant;
  order: number;
  state: "pending" | "failed";
  /** Why it failed. */
  code?: string | null;
}

export interface Posted {
  message?: MessageId;
  seq?: number;
  created_at?: Instant;
  /** An earlier try had arrived. */
  replayed?: boolean;
  /** A moderator reads it first. */
  held?: boolean;
}

export interface Store {
  list(): OutboxItem[];
  put(item: OutboxItem): void;
  remove(clientId: string): void;
  /** Runs `work` while nobody else sends to the room. */
  lock<Done>(room: RoomId, work: () => Promise<Done>): Promise<Done>;
  /** Calls when somebody else has changed it. */
  watch(changed: () => void): void;
}

/** Keeps what waits for as long as it lives. */
export function memoryStore(): Store;
/** In localStorage, under keys that start with the prefix, for all tabs of one person. */
export function webStore(prefix: () => string): Store;

export interface Outbox {
  /** Puts a message on its way. It goes out once it can, after those before it. */
  post(room: RoomId, words: { body: string; reply_to?: MessageId | null }): OutboxItem;
  /** One that failed goes once more, at its place in the order. */
  sendAgain(clientId: string): void;
  discard(clientId: string): void;
  /** Looks at the store anew, which a prefix that has changed asks for. */
  reread(): void;
}

/** Messages on their way: the server keeps each once, and those of a room in the order of writing. */
export function createOutbox(
  client: Client,
  options?: {
    store?: Store;
    /** While false, what is written waits for the next hello. */
    maySend?(): boolean;
    /** After every change; the oldest first. */
    onChange?(items: OutboxItem[]): void;
    /** The server has it; called before it leaves the items. */
    onSent?(item: OutboxItem, reply: Posted): void;
    onRefused?(item: OutboxItem, refusal: Refusal): void;
  },
): Outbox;
