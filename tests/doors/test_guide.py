"""The guide for integrations: each of its commands is run, and its bot is put to the test."""

import os
import re
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from chat.actions.members import join_room
from chat.actions.posting import post_message
from chat.models import Message
from tests.cast import cast
from tests.oauth import App
from tests.services import ROOT, wait_for

pytestmark = pytest.mark.usefixtures("committed_db")
GUIDE = (ROOT / "docs/integrate.md").read_text(encoding="utf-8")
BOT = ROOT / "docs/examples/bot.py"
SCOPES = "rooms:read messages:read messages:write webhooks:write realtime"
MAX_BOT_LINES = 60


@pytest.fixture
def bot(committed_db):
    return App(alone=True, scopes=SCOPES)


@pytest.fixture
def people(committed_db):
    return cast()


def environment(server, bot, people):
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "SITE": server.url,
        "SLUG": people.room.slug,
        "ROOM": str(people.room.pk),
        "CLIENT_ID": bot.id,
        "CLIENT_SECRET": bot.secret,
    }


def test_every_command_of_the_guide_works(server, bot, people):
    blocks = re.findall(r"^```sh\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 6
    script = "set -eu\n" + "\necho '---'\n".join(blocks)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=ROOT,
        env=environment(server, bot, people),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout.split("---\n")
    assert '"body":"Hello from a bot"' in said[0]
    assert said[1].strip() == "message.posted"
    assert said[2].startswith("id: ")
    assert said[3].strip() == "30"
    assert said[5].strip() == "whsec_"
    assert Message.objects.filter(room=people.room, body="Hello from a bot").count() == 1


def test_the_bot_is_short_and_answers_each_question_once_also_when_it_dies(server, bot, people):
    assert len(BOT.read_text(encoding="utf-8").splitlines()) <= MAX_BOT_LINES
    bot.row.refresh_from_db()
    join_room(bot.row.bot, people.room.pk)

    def ask():
        asked = post_message(people.olga, people.room.pk, client_id=uuid.uuid4(), body="ping")
        return asked.message_id

    def answers():
        return Message.objects.filter(room=people.room, author=bot.row.bot, body="pong").count()

    def start():
        return subprocess.Popen([sys.executable, BOT], env=environment(server, bot, people))

    process = start()
    try:
        # Whether it follows yet nobody tells: it is asked until it answers.
        assert wait_for(lambda: bool(ask()) and answers() > 0, seconds=20)
        before = answers()
        ask()
        assert wait_for(lambda: answers() > before, seconds=10)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process = start()
        before = answers()
        assert wait_for(lambda: bool(ask()) and answers() > before, seconds=20)
    finally:
        process.kill()
        process.wait()
    questions = Message.objects.filter(room=people.room, body="ping").count()
    assert answers() <= questions
