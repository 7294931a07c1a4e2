"""Sending messages: the writer's batches, and REST's batches of one."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from django.db import DatabaseError, InterfaceError, OperationalError, transaction

from accounts.models import User
from chat.actions.batch import Batch, told
from chat.actions.drafts import NOTHING_FOUND, Draft, Held, Outcome, Posted, Written
from chat.actions.ruleset import LiveRules, live_rules, reload_rules
from chat.actions.screening import StaleRules
from chat.text.render import clean_body, render
from chatproject.database import RETRY_AFTER_SECONDS
from chatproject.errors import AppError, Code

# How often the rules may change while one batch tries to go out.
MAX_SCREENINGS = 5

logger = logging.getLogger(__name__)


def post_message(
    author: User, room_id: int, *, client_id: UUID, body: str, reply_to: int | None = None
) -> Posted | Held:
    """Sends one message. Raises AppError with the reason when it is refused."""
    (outcome,) = post_messages(room_id, [Draft(author, client_id, body, reply_to)])
    if isinstance(outcome, AppError):
        raise outcome
    return outcome


def post_messages(room_id: int, drafts: Sequence[Draft]) -> list[Outcome]:
    """Sends ``drafts`` to one room in one transaction, in order; one outcome for each.

    The number of statements does not depend on the number of drafts. A refusal is an outcome, not an
    exception. What the database cannot do at all (away, locked) is raised: nothing was written, or the
    repeat will be deduplicated. Any other failure rolls back, and each draft runs alone, once.
    """
    # Rendering stands before the transaction: it must not lengthen the time the room is locked.
    written = [_write(item) for item in drafts]
    ready = [item for item in written if isinstance(item, Written)]
    outcomes = iter(_post_written(room_id, ready) if ready else [])
    return [item if isinstance(item, AppError) else next(outcomes) for item in written]


def _write(item: Draft) -> Written | AppError:
    try:
        body = clean_body(item.body)
        return Written(item, body, render(body), NOTHING_FOUND)
    except AppError as refusal:
        return refusal
    except Exception:  # a fault in a library that one text has found must not fail the batch of others
        logger.exception("A text could not be rendered")
        return AppError(Code.INTERNAL)


def _post_written(room_id: int, written: Sequence[Written]) -> list[Outcome]:
    try:
        return _post_batch(room_id, written)
    except (OperationalError, InterfaceError):
        raise
    except AppError as refusal:
        return [refusal] * len(written)
    except DatabaseError:
        if len(written) == 1:
            raise
        return [_post_alone(room_id, item) for item in written]


def _post_alone(room_id: int, item: Written) -> Outcome:
    try:
        return _post_batch(room_id, [item])[0]
    except (OperationalError, InterfaceError):
        return AppError(Code.UNAVAILABLE, retry_after=RETRY_AFTER_SECONDS)
    except AppError as refusal:
        return refusal
    except DatabaseError:
        logger.exception("A message could not be written")
        return AppError(Code.INTERNAL)


def _post_batch(room_id: int, written: Sequence[Written]) -> list[Outcome]:
    for _ in range(MAX_SCREENINGS):
        rules = live_rules()
        try:
            return _post_screened(room_id, [_screen(item, room_id, rules) for item in written], rules)
        except StaleRules:
            reload_rules()
    raise AppError(Code.UNAVAILABLE, retry_after=RETRY_AFTER_SECONDS)


def _screen(item: Written, room_id: int, rules: LiveRules) -> Written:
    """What the rules see in the text: before the transaction too."""
    if not rules.by_id:
        return item
    return replace(item, findings=rules.compiled.screen(item.body, room_id=room_id))


def _post_screened(room_id: int, written: Sequence[Written], rules: LiveRules) -> list[Outcome]:
    with transaction.atomic():
        batch = Batch(room_id, written, rules)
        placed = [batch.place(item) for item in written]
        batch.write()
    return [told(item) for item in placed]
