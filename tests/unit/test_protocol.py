"""What goes over the wire."""

import json
import uuid
from typing import get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.realtime.protocol import (
    MAX_FRAME_BYTES,
    MAX_REF_CHARS,
    AnyCommand,
    error_body,
    parse_command,
    ref_of,
    reply_error,
)
from chatproject.errors import AppError, Code

COMMANDS = {command.__struct_config__.tag: command for command in get_args(AnyCommand)}


@pytest.mark.parametrize(
    ("wait", "told"), [(None, None), (0.0, 0.0), (0.0004, 0.001), (1.2341, 1.235), (30.0, 30.0)]
)
def test_a_wait_is_told_in_milliseconds_and_never_shorter_than_it_is(wait, told):
    assert error_body(AppError(Code.RATE_LIMITED, retry_after=wait)).retry_after == told


def judge(frame):
    """The command in ``frame``, or the code of its refusal. Any other exception is the parser's fault."""
    try:
        command = parse_command(frame)
    except AppError as refusal:
        assert refusal.code in {Code.INVALID, Code.TOO_LARGE}
        ref = ref_of(frame)
        assert ref is None or len(ref) <= MAX_REF_CHARS
        answer = json.loads(reply_error(ref, refusal))
        assert answer["ok"] is False and answer["error"]["code"] == refusal.code
        return refusal.code
    assert isinstance(command, AnyCommand)
    assert ref_of(frame) == command.ref
    # What was read is read again from its own writing.
    assert parse_command(msgspec.json.encode(command).decode()) == command
    return command


identifiers = st.integers(1, 2**63 - 1)
seqs = st.integers(0, 2**63 - 1)
short = st.text(max_size=64)
body = st.text(max_size=200)
FIELDS = {
    "hello": {"ticket?": short, "client?": short},
    "room.open": {"room": identifiers, "after?": seqs, "epoch?": short},
    "room.close": {"room": identifiers},
    "message.post": {
        "room": identifiers,
        "client_id": st.uuids().map(str),
        "body": body,
        "reply_to?": identifiers,
    },
    "message.edit": {"message": identifiers, "body": body},
    "message.delete": {"message": identifiers},
    "message.restore": {"message": identifiers},
    "room.read": {"room": identifiers, "seq": seqs},
    "typing": {"room": identifiers},
    "ping": {},
}
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@st.composite
def valid(draw):
    """A command as a client may send it."""
    tag = draw(st.sampled_from(sorted(COMMANDS)))
    frame = {"type": tag, "ref": draw(st.text(max_size=MAX_REF_CHARS))}
    for name, value in FIELDS[tag].items():
        if not name.endswith("?") or draw(st.booleans()):
            frame[name.rstrip("?")] = draw(value)
    return frame


@st.composite
def broken(draw):
    """A command with something else in the place of a field, a field too few or too many."""
    frame = draw(valid())
    how = draw(st.sampled_from(["other", "less", "more"]))
    if how == "other":
        frame[draw(st.sampled_from(sorted(frame)))] = draw(values)
    elif how == "less":
        del frame[draw(st.sampled_from(sorted(frame)))]
    else:
        frame[draw(st.text(min_size=1, max_size=12))] = draw(values)
    return frame


@st.composite
def cut(draw):
    """The text of a command with some of it gone, repeated or replaced."""
    text = json.dumps(draw(valid()), ensure_ascii=draw(st.booleans()))
    start, end = sorted((draw(st.integers(0, len(text))), draw(st.integers(0, len(text)))))
    return text[:start] + draw(st.sampled_from(["", text[start:end] * 2]) | st.text(max_size=8)) + text[end:]


def test_every_command_is_driven():
    assert FIELDS.keys() == COMMANDS.keys()
    for tag, command in COMMANDS.items():
        assert {name.rstrip("?") for name in FIELDS[tag]} | {"ref"} == set(command.__struct_fields__)


@settings(max_examples=200, deadline=None)
@given(valid())
def test_every_valid_command_is_read(frame):
    command = judge(json.dumps(frame))
    assert isinstance(command, COMMANDS[frame["type"]])
    for name, value in frame.items():
        if name != "type":
            read = getattr(command, name)
            assert (str(read) if isinstance(read, uuid.UUID) else read) == value


@settings(max_examples=300, deadline=None)
@given(broken())
def test_a_command_that_is_not_quite_one_is_read_or_refused(frame):
    judge(json.dumps(frame))


@settings(max_examples=300, deadline=None)
@given(cut() | st.text(max_size=300) | values.map(json.dumps))
def test_any_text_is_read_or_refused(text):
    judge(text)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300) | st.none())
def test_what_is_no_text_is_refused(frame):
    assert judge(frame) == Code.INVALID


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[" * 30_000, Code.INVALID),
        ('{"a":' * 10_000, Code.INVALID),
        ("\ud800", Code.INVALID),
        ('{"type": "ping", "ref": "\\ud800"}', Code.INVALID),
        ('{"type": "room.close", "ref": "1", "room": 1e400}', Code.INVALID),
        ('{"type": "room.close", "ref": "1", "room": ' + "9" * 5000 + "}", Code.INVALID),
        ('{"type": "ping", "ref": "1", "x": 1}', Code.INVALID),
        ("é" * (MAX_FRAME_BYTES // 2 + 1), Code.TOO_LARGE),
        (" " * MAX_FRAME_BYTES, Code.INVALID),
    ],
)
def test_hostile_text_is_refused(text, code):
    assert judge(text) == code
