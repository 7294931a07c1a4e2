"""The sends of one transaction in one locked room: what was there, and what is to be written."""

from collections.abc import Sequence

from django.contrib.postgres.fields import ArrayField
from django.db.models import BigIntegerField, BooleanField, UUIDField
from django.db.models.expressions import RawSQL

from accounts.bans import refusal_of
from chat import log
from chat.actions.authors import MAX_HELD, Author, asking_senders, authors_among
from chat.actions.drafts import Draft, Held, Outcome, Posted, Written
from chat.actions.holding import hold_messages
from chat.actions.ruleset import LiveRules
from chat.actions.screening import Screening, Verdict
from chat.models import HeldMessage, Kind, Membership, Message, Role
from chat.payloads import instant
from chat.standing import Standing
from chatproject.errors import AppError, Code
from chatproject.statements import Parameter, Prepared, Statement, ask, insertion

Placed = tuple[Message, bool] | Held | AppError


def told(placed: Placed) -> Outcome:
    """What the sender is told, once it is committed."""
    if isinstance(placed, AppError | Held):
        return placed
    message, replayed = placed
    return Posted(message.pk, message.seq, instant(message.created_at), replayed)


# As pairs, each found by the index of client ids: a room may have any number of authors.
_PAIRS = "(author_id, client_id) IN (SELECT * FROM unnest(%s::bigint[], %s::uuid[]))"
_SENT_BEFORE = Prepared(
    lambda: Message.objects.filter(
        RawSQL(  # noqa: S611 - a constant, with parameters
            _PAIRS,
            [
                Parameter("authors", ArrayField(BigIntegerField())),
                Parameter("client_ids", ArrayField(UUIDField())),
            ],
            output_field=BooleanField(),
        ),
        room=Parameter("room", BigIntegerField()),
    )
)
# The inner SELECT is asked once; without it the sequence would be looked up for each id.
_IDS_SQL = """
    SELECT nextval((SELECT pg_get_serial_sequence('chat_message', 'id')::regclass))
      FROM generate_series(1, %s)
"""


class Batch:
    """The state of the transaction. ``place`` each message in order, then ``write``. Raises StaleRules."""

    def __init__(self, room_id: int, written: Sequence[Written], rules: LiveRules) -> None:
        drafts = [item.draft for item in written]
        authors, client_ids = [draft.author.pk for draft in drafts], [draft.client_id for draft in drafts]
        rooms, sent, senders, ids = ask(
            log.locking(room_id),
            _SENT_BEFORE.of(room=room_id, authors=authors, client_ids=client_ids),
            asking_senders(room_id, set(authors), client_ids),
            Statement(_IDS_SQL, [len(drafts)], lambda rows: [row[0] for row in rows]),
        )
        self.room = room = log.locked(rooms)
        self.earlier = {(message.author_id, message.client_id): message for message in sent}
        self.authors = authors_among(senders, room)
        self.screening = Screening(rules, room, self.authors.values())
        self._ids = iter(ids)
        replied = {d.reply_to for d in drafts if d.reply_to is not None}
        self.targets = (
            set(Message.objects.filter(room=room, pk__in=replied).values_list("pk", flat=True))
            if replied
            else set()
        )
        self.entries: list[log.Entry] = []
        self.messages: list[Message] = []
        self.joins: list[Membership] = []
        self.held: list[HeldMessage] = []

    def place(self, written: Written) -> Placed:
        """The message and whether it was there before, or that it waits, or why it is refused."""
        item = written.draft
        author = self.authors.get(item.author.pk)
        if author is None:
            return refusal_of(item.author.pk)
        if author.user.epoch != item.author.epoch:
            return AppError(Code.UNAUTHENTICATED)
        try:
            return self._known(item, author) or self._new(written, author)
        except AppError as refusal:
            return refusal

    def _known(self, item: Draft, author: Author) -> Placed | None:
        """A repeat is answered before any rule that may have changed since."""
        hidden = author.standing.read_refusal()
        if hidden is not None:
            raise hidden
        known = self.earlier.get((item.author.pk, item.client_id))
        if known is not None:
            return known, True
        return Held(replayed=True) if item.client_id in author.held else None

    def _new(self, written: Written, author: Author) -> Placed:
        author.check_may_write()
        author.check_slow_mode()
        reply_to = written.draft.reply_to
        if reply_to is not None and reply_to not in self.targets:
            raise AppError(Code.INVALID, fields={"reply_to": ["There is no such message here."]})
        verdict = self.screening.judge(author, written.findings)
        if verdict.holds or author.standing.waits_for_approval():
            return self._hold(written, author, verdict)
        return self._accept(written, author, verdict), False

    def write(self) -> None:
        """Rows, then events, then the head."""
        Membership.objects.bulk_create(self.joins)
        if self.messages:
            rows = insertion(self.messages)
            log.append(self.room, self.entries, at=self.messages[0].created_at, first=[rows])
        hold_messages(self.room, self.held)
        self.screening.follow_up()

    def _hold(self, written: Written, author: Author, verdict: Verdict) -> Held:
        item = written.draft
        if author.waiting >= MAX_HELD:
            raise AppError(Code.RATE_LIMITED, f"{MAX_HELD} of your messages wait for a moderator already.")
        held = HeldMessage(
            room=self.room,
            author=author.user,
            client_id=item.client_id,
            body=written.body,
            html=written.html,
            reply_to_id=item.reply_to,
            rule=verdict.rule if verdict.holds else None,
            created_at=author.now,
        )
        self.held.append(held)
        self.screening.placed(verdict, author, held)
        author.held.add(item.client_id)
        author.waiting += 1
        author.last_post_at = author.now
        return Held()

    def _accept(self, written: Written, author: Author, verdict: Verdict) -> Message:
        item = written.draft
        if author.standing.role is None:
            self._join(author)
        message = Message(
            pk=next(self._ids),
            room=self.room,
            seq=self.room.last_seq + len(self.entries) + 1,
            author=author.user,
            client_id=item.client_id,
            body=written.body,
            html=written.html,
            reply_to_id=item.reply_to,
            created_at=author.now,
            # Hidden from the first moment: nobody is ever sent its text.
            deleted_at=author.now if verdict.hides else None,
        )
        self.screening.placed(verdict, author, message)
        self.entries.append(log.Entry(Kind.MESSAGE_POSTED, author.user.pk, message=message))
        self.messages.append(message)
        self.earlier[item.author.pk, item.client_id] = message
        author.last_post_at = author.now
        return message

    def _join(self, author: Author) -> None:
        """The first post makes a member; guests come quietly, or a busy room would be all arrivals."""
        self.joins.append(Membership(room=self.room, user=author.user, role=Role.MEMBER))
        author.standing = Standing(author.user, self.room, Role.MEMBER)
        if not author.user.is_guest:
            self.entries.append(
                log.Entry(Kind.MEMBER_JOINED, author.user.pk, subject=author.user, data={"role": Role.MEMBER})
            )
