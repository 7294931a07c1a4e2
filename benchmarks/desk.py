"""The lists of the staff's desk at a million messages: their plans, and how long each page takes.

.venv/bin/python -m chatproject.launcher run --ephemeral -- .venv/bin/python -m benchmarks.desk

Writes what it finds as Markdown to standard output; docs/admin.md has it.
"""

import argparse
import re
import sys
import time
import uuid
from collections.abc import Iterator

# isort: off
from benchmarks import world  # before any model: it sets Django up
# isort: on

from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from chat.models import Room

MESSAGES = 1_000_000
ROOMS = 50
# Lines of a plan that say what is read and how; joins that fetch names by id say nothing.
_SAYS = re.compile(r".*(Scan|Index Cond|Recheck Cond|Filter|Sort Key|Limit|Recursive|Aggregate)")
_NAMES = re.compile(
    r".*(Seq Scan|_pkey) on (accounts_user|chat_room|chat_automodrule)\b"
    r"|.*(Join Filter|Rows Removed|SubPlan|Cond: \(.*= chat_|Filter: \(\(kind|(Cond|Filter): \(id = \d)"
)
_FILL = """
INSERT INTO chat_message
       (room_id, seq, author_id, client_id, body, html, created_at, deleted_at, deleted_by_id)
SELECT rooms.id[1 + number %% %(rooms)s], 1 + number / %(rooms)s, people.id[1 + number %% 256],
       gen_random_uuid(), 'message ' || number, '<p>message ' || number || '</p>',
       now() - interval '30 days' * (1 - number / %(messages)s::float),
       CASE WHEN number %% 200 = 0 THEN now() END, CASE WHEN number %% 200 = 0 THEN people.id[1] END
FROM generate_series(0, %(messages)s - 1) AS number,
     (SELECT array_agg(id ORDER BY id) AS id FROM chat_room WHERE slug <> 'corner') AS rooms,
     (SELECT array_agg(id ORDER BY id) AS id FROM accounts_user) AS people
ORDER BY number
"""
_QUIET = """
INSERT INTO chat_message (room_id, seq, author_id, client_id, body, html, created_at)
VALUES (%s, 1, %s, gen_random_uuid(), 'first', 'first', now() - interval '31 days')
"""
_EVENTS = """
INSERT INTO chat_roomevent (room_id, seq, kind, actor_id, message_id, data, created_at)
SELECT room_id, seq, 'message.posted', author_id, id, '{}', created_at FROM chat_message ORDER BY id
"""
_SANCTIONS = """
INSERT INTO chat_sanction (room_id, user_id, kind, category, reason, created_at, ends_at)
SELECT (SELECT min(id) FROM chat_room), people.id[1 + number %% 256], 'warn', 'spam', '',
       now() - interval '40 days', now() - interval '1 day'
FROM generate_series(1, 100000) AS number, (SELECT array_agg(id) AS id FROM accounts_user) AS people
"""
_REPORTS = """
INSERT INTO chat_report (reporter_id, room_id, message_id, subject_id, category, text, state, outcome, hid,
                         created_at, decided_at)
SELECT NULL, room_id, id, author_id, 'spam', '', CASE WHEN id %% 5000 = 0 THEN 'open' ELSE 'decided' END,
       CASE WHEN id %% 5000 = 0 THEN '' ELSE 'upheld' END, false, created_at, created_at
FROM chat_message WHERE id %% 10 = 0 ORDER BY id
"""
_ACTIONS = """
INSERT INTO chat_moderationaction (at, actor_id, kind, room_id, subject_id, target, category, before, after,
                                   request_id, previous, digest)
SELECT created_at, author_id, 'message.deleted', room_id, author_id, 'message:' || id, 'spam', '{}', '{}', '',
       sha256(('p' || id)::bytea), sha256(id::text::bytea)
FROM chat_message WHERE id %% 10 = 0 ORDER BY id
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=MESSAGES)
    count = parser.parse_args().messages
    world.prepare()
    call_command("collectstatic", interactive=False, verbosity=0)
    fill(count)
    browser, root = Client(HTTP_HOST="127.0.0.1"), world.people(1)[0]
    User.objects.filter(pk=root.pk).update(is_staff=True, is_superuser=True)
    browser.force_login(User.objects.get(pk=root.pk))
    sys.stdout.write(
        f"{count:,} messages, as many events, {count // 10:,} reports and actions, 100,000 sanctions.\n"
    )
    sections = [section(browser, title, url) for title, url in pages()]
    sys.stdout.write("\n| page | statements | in the database | in all |\n|---|---|---|---|\n")
    sys.stdout.write("".join(row for row, _ in sections) + "".join(shown for _, shown in sections))


def fill(messages: int) -> None:
    """Rows as the product would have made them, written by SQL: by the actions it would take hours."""
    Room.objects.bulk_create(
        Room(slug=f"room-{uuid.uuid4().hex}", name=f"Room {n}", last_seq=messages // ROOMS)
        for n in range(ROOMS)
    )
    quiet = User.objects.create_user("quiet", display_name="Quiet person")
    corner = Room.objects.create(slug="corner", name="Quiet corner", last_seq=1)
    with connection.cursor() as cursor:
        cursor.execute(_QUIET, [corner.pk, quiet.pk])
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(_FILL, {"rooms": ROOMS, "messages": messages})
        for statement in (_EVENTS, _SANCTIONS, _REPORTS, _ACTIONS):
            cursor.execute(statement.replace("%%", "%"))
        cursor.execute("VACUUM ANALYZE")


def pages() -> Iterator[tuple[str, str]]:
    """The main lists, as they are opened and as they are filtered."""
    room, person = Room.objects.order_by("pk")[7].pk, world.people(8)[7].pk
    messages, audit = (
        reverse("admin:chat_message_changelist"),
        reverse("admin:chat_moderationaction_changelist"),
    )
    yield "Index", reverse("admin:index")
    yield "Messages", messages
    yield "Messages, the last page that is paged to", f"{messages}?p=200"
    yield "Messages of a room", f"{messages}?room={room}"
    yield "Messages of a person in a room", f"{messages}?room={room}&author={person}"
    quiet, corner = User.objects.get(username="quiet").pk, Room.objects.get(slug="corner").pk
    yield "Messages of a person who wrote one, a million ago", f"{messages}?author={quiet}"
    yield "Messages of a room with one, a million ago", f"{messages}?room={corner}"
    yield "Removed messages", f"{messages}?gone=yes"
    yield "Messages since a day", f"{messages}?since=2000-01-01"
    yield "Reports that wait", reverse("admin:chat_report_changelist")
    yield "Sanctions in force", reverse("admin:chat_sanction_changelist")
    yield "Audit", audit
    yield "Audit of a person", f"{audit}?subject={person}"
    yield "Events", reverse("admin:chat_roomevent_changelist")
    yield "A person's page", reverse("admin:accounts_user_desk", args=[person])


def section(browser: Client, title: str, url: str) -> tuple[str, str]:
    """One page: a row of the table, and the plan of the statement that reads its rows."""
    browser.get(url)
    began = time.perf_counter()
    with CaptureQueriesContext(connection) as captured:
        answer = browser.get(url)
    took = (time.perf_counter() - began) * 1000
    assert answer.status_code == 200, (url, answer.status_code)
    queries = captured.captured_queries
    in_database = sum(float(query["time"]) for query in queries) * 1000
    row = f"| {title} | {len(queries)} | {in_database:.0f} | {took:.0f} |\n"
    main = [query["sql"] for query in queries if _is_main(query["sql"], url)]
    return row, f"\n**{title}**\n```\n{plan(main[0])}\n```\n" if main else ""


def _is_main(sql: str, url: str) -> bool:
    """Whether a statement reads the rows of the list at ``url``; of the index, the search for days."""
    if url == reverse("admin:index"):
        return sql.lstrip().startswith("WITH RECURSIVE") and "chat_message" in sql
    table = url.split("?", maxsplit=1)[0].strip("/").replace("admin/", "").replace("/", "_")
    return f'ORDER BY "{table}"' in sql and f'FROM "{table}"' in sql and "COUNT(" not in sql


def plan(sql: str) -> str:
    """What PostgreSQL does for ``sql``, without the lines that say little."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, BUFFERS OFF) {sql}")
        lines = [row[0] for row in cursor.fetchall()]
    kept = [line for line in lines[:-1] if _SAYS.match(line) and not _NAMES.match(line)]
    return "\n".join([*kept, lines[-1]])


if __name__ == "__main__":
    main()
