"""The audit in a file: CSV for spreadsheets, JSON Lines for programs. It is sent while it is read."""

import csv
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connection
from django.db.models import QuerySet
from django.http import HttpResponseBase, StreamingHttpResponse

from accounts.models import User
from chat.actions.looking import record_export
from chat.actions.undo import describe
from chat.models import ModerationAction
from chat.payloads import instant

ROWS_A_PIECE = 500
COLUMNS = (
    "id", "at", "actor_id", "actor", "kind", "what", "target", "room_id", "subject_id", "category", "note",
    "before", "after", "undoes", "request_id", "previous", "digest",
)  # fmt: skip
# A cell that begins so is a formula to a spreadsheet: what people wrote would be run (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
Row = dict[str, Any]


def export(
    user: User, actions: QuerySet[ModerationAction], *, form: str, chosen: dict[str, str]
) -> HttpResponseBase:
    """``actions``, the newest first, as ``form``; recorded before they go. Raises AppError FORBIDDEN."""
    record_export(user, form=form, chosen=chosen)
    write, content_type = FORMS[form]
    head = [_cells(COLUMNS)] if form == "csv" else []
    response = StreamingHttpResponse(_pieces(actions, write, head), content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="audit.{form}"'
    response["Cache-Control"] = "no-store"
    return response


async def _pieces(
    actions: QuerySet[ModerationAction], write: Callable[[Row], str], head: list[str]
) -> AsyncIterator[str]:
    """One piece after another, each read by a statement of its own: nothing is held between them.

    The server would gather an ordinary iterator in memory before it sends the first byte.
    """
    for line in head:
        yield line
    last: int | None = None
    while True:
        rows = await sync_to_async(_read)(actions, last)
        if not rows:
            return
        last = rows[-1]["id"]
        yield "".join(write(row) for row in rows)


def _read(actions: QuerySet[ModerationAction], last: int | None) -> list[Row]:
    found = actions.order_by("-id").select_related("actor", "note")
    if last is not None:
        found = found.filter(pk__lt=last)
    try:
        return [_row(action) for action in found[:ROWS_A_PIECE]]
    finally:
        # The file may take long, and the pool has few connections.
        if not connection.in_atomic_block:
            connection.close()


def _row(action: ModerationAction) -> Row:
    note = getattr(action, "note", None)
    values = (
        action.pk, instant(action.at), action.actor_id,
        action.actor.display_name if action.actor else "Automod", action.kind, describe(action),
        action.target, action.room_id, action.subject_id, action.category, note.text if note else "",
        action.before, action.after, action.undoes_id, action.request_id,
        bytes(action.previous).hex(), bytes(action.digest).hex(),
    )  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))


class _Echo:
    """What csv writes to: it hands each line back."""

    def write(self, line: str) -> str:
        return line


_writer = csv.writer(_Echo())


def _cells(values: Any) -> str:
    line: str = _writer.writerow([_cell(value) for value in values])
    return line


def _cell(value: Any) -> str:
    """As text that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _as_csv(row: Row) -> str:
    return _cells(row.values())


def _as_json(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"


FORMS: dict[str, tuple[Callable[[Row], str], str]] = {
    "csv": (_as_csv, "text/csv; charset=utf-8"),
    "jsonl": (_as_json, "application/x-ndjson; charset=utf-8"),
}
