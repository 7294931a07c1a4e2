"""Every text that a frame carries is kept clean or refused; the table misses none."""

import contextlib
import unicodedata
import uuid
from typing import get_args, get_type_hints

import pytest

from chat.models import Message
from chat.realtime import protocol
from chatproject.errors import Code
from tests.cast import Refused, cast, connect, do, member
from tests.texts import BIDI, BODY, CODE, CONTROLS, DECOMPOSED, HALF, TOWER

pytestmark = pytest.mark.usefixtures("committed_db")

# The text fields of each command, beside ``ref``, which goes back to who sent it.
COMMANDS = {
    ("hello", "ticket"): CODE,
    ("hello", "client"): CODE,
    ("room.open", "epoch"): CODE,
    ("message.post", "body"): BODY,
    ("message.edit", "body"): BODY,
}


def test_no_text_of_a_command_is_missing_from_the_table():
    found = {
        (command.__struct_config__.tag, name)
        for command in get_args(protocol.AnyCommand)
        for name, kind in get_type_hints(command).items()
        if name != "ref" and str in {kind, *get_args(kind)}
    }
    assert found == COMMANDS.keys()


async def test_each_text_of_a_command_is_kept_clean_or_refused(server, committed_db):
    people = await do(cast)
    room = people.room.pk
    client = await member(server.socket_url, people.bob, room)
    posted = await client.post(room, "first")
    for value in (DECOMPOSED, *CONTROLS, *BIDI, TOWER, HALF):
        wanted = None if value in {*CONTROLS, HALF} else unicodedata.normalize("NFC", value)
        for command, given in (
            ("message.post", {"room": room, "client_id": str(uuid.uuid4()), "body": value}),
            ("message.edit", {"message": posted["message"], "body": value}),
        ):
            if value == HALF:  # such a frame is no JSON, and its ref cannot be told
                await client.send(command, **given)
                with pytest.raises(Refused):
                    await client.reply(None)
                continue
            try:
                answer = await client.ask(command, **given)
                kept = await do(lambda number=answer["message"]: Message.objects.get(pk=number).body)
            except Refused as refused:
                kept = None
                assert refused.code == Code.INVALID
            assert kept == wanted, (command, ascii(value))
        if value == HALF:
            continue
        with contextlib.suppress(Refused):
            answer = await client.ask("room.open", room=room, after=0, epoch=value)
            assert answer["resync"] is True
        other = await connect(server.socket_url)
        with pytest.raises(Refused) as refusal:
            await other.ask("hello", ticket=value, client=value)
        assert refusal.value.code in {Code.INVALID, Code.UNAUTHENTICATED}
        await other.close()
    assert await client.ask("ping") == {}
    await client.close()
