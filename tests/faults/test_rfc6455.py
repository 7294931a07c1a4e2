"""WebSocket as RFC 6455 demands it of a server, by frames that a client of ours would never send.

The numbers are sections of the RFC. Where it says that the connection fails, our server says why in a close
frame first (7.1.7); plain Daphne cuts.
"""

import base64
import contextlib
import hashlib
import json
import os
import socket
import struct
from dataclasses import dataclass

import pytest

from tests.services import PLAIN_DAPHNE

TEXT, BINARY, CLOSE, PING, PONG, MORE = 1, 2, 8, 9, 10, 0
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
WAIT_SECONDS = 10
PROTOCOL_ERROR, NOT_UTF8, TOO_BIG = 1002, 1007, 1009


def frame(opcode, payload=b"", *, fin=True, rsv=0, masked=True, form=None):
    """A frame of a client; ``form`` is the way its length is written, by default the shortest (5.2)."""
    size = len(payload)
    form = form or (7 if size < 126 else 16 if size < 65536 else 64)
    code = {7: size, 16: 126, 64: 127}[form]
    head = struct.pack("!BB", fin << 7 | rsv << 4 | opcode, masked << 7 | code)
    head += {7: b"", 16: struct.pack("!H", size % 65536), 64: struct.pack("!Q", size)}[form]
    if not masked:
        return head + payload
    key = os.urandom(4)
    return head + key + bytes(byte ^ key[place % 4] for place, byte in enumerate(payload))


@dataclass
class Frame:
    opcode: int
    payload: bytes

    @property
    def code(self):
        return int.from_bytes(self.payload[:2]) if self.payload else None


class Peer:
    """One connection, byte by byte. What the server sends is held against 5.1 and 5.5 as it is read."""

    def __init__(self, server, **headers):
        self.key = base64.b64encode(os.urandom(16)).decode()
        self.socket = socket.create_connection(server.address, timeout=WAIT_SECONDS)
        self.received = b""
        given = {
            "Host": server.url.removeprefix("http://"),
            "Origin": server.url,
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": self.key,
            "Sec-WebSocket-Version": "13",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        lines = [f"{name}: {value}" for name, value in given.items() if value is not None]
        self.socket.sendall("\r\n".join(["GET /ws/v1/ HTTP/1.1", *lines, "", ""]).encode())
        head = self._until(b"\r\n\r\n").decode()
        self.status = int(head.split()[1])
        pairs = (line.split(":", 1) for line in head.split("\r\n")[1:] if line)
        self.headers = {name.lower(): value.strip() for name, value in pairs}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *frames):
        self.socket.sendall(b"".join(frames))

    def command(self, type_, ref="r", size=0):
        """A command as text, filled with white space to ``size`` bytes."""
        return json.dumps({"type": type_, "ref": ref}).encode().ljust(size)

    def hello(self):
        self.send(frame(TEXT, self.command("hello", "hello")))
        assert self.reply()["ok"] is True
        return self

    def reply(self):
        read = self.read()
        assert read.opcode == TEXT, read
        return json.loads(read.payload)

    def read(self):
        """The next frame; None at the end of the connection."""
        head = self._take(2)
        if head is None:
            return None
        assert head[0] & 0x70 == 0, "reserved bits (5.2)"
        assert head[0] & 0x80, "no fragments are expected of the server"
        assert head[1] & 0x80 == 0, "the server masks nothing (5.1)"
        opcode, size = head[0] & 15, head[1] & 127
        assert opcode < 8 or size < 126, "a control frame is short (5.5)"
        if size > 125:
            size = int.from_bytes(self._take(2 if size == 126 else 8))
        return Frame(opcode, self._take(size) or b"")

    def ended(self):
        """Whether the server has closed the connection, after nothing but bytes that were under way."""
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionResetError:
            pass
        return True

    def fails(self, code, *, by=TEXT):
        """The connection fails with ``code``, and nothing else is said; ``by`` a frame of this opcode."""
        read = self._read_or_cut()
        # A close frame, wrong as it is, ends the connection at once: to Autobahn it answers its own.
        if read is None and (PLAIN_DAPHNE or by == CLOSE):
            return True
        assert read is not None and (read.opcode, read.code) == (CLOSE, code), read
        with contextlib.suppress(ConnectionError):  # the server has cut it meanwhile, as it may
            self.socket.sendall(frame(CLOSE, read.payload[:2]))
        return self.ended()

    def _read_or_cut(self):
        try:
            return self.read()
        except ConnectionResetError:
            return None

    def _until(self, end):
        while end not in self.received:
            more = self.socket.recv(65536)
            if not more:
                break
            self.received += more
        head, _, self.received = self.received.partition(end)
        return head

    def _take(self, size):
        while len(self.received) < size:
            more = self.socket.recv(65536)
            if not more:
                return None
            self.received += more
        taken, self.received = self.received[:size], self.received[size:]
        return taken


def lives(peer, ref="still"):
    """Whether the connection still serves commands."""
    peer.send(frame(TEXT, peer.command("ping", ref)))
    answer = peer.reply()
    return (answer["ref"], answer["ok"]) == (ref, True)


# --- 4.2: the handshake -------------------------------------------------------------------------------------
def test_the_handshake_is_answered_with_the_digest_of_its_key(server):
    with Peer(
        server, Sec_WebSocket_Extensions="permessage-deflate", Sec_WebSocket_Protocol="x, chat.v1"
    ) as peer:
        digest = hashlib.sha1(f"{peer.key}{GUID}".encode()).digest()
        assert peer.status == 101
        assert peer.headers["sec-websocket-accept"] == base64.b64encode(digest).decode()
        assert peer.headers["upgrade"].lower() == "websocket"
        assert "sec-websocket-extensions" not in peer.headers
        assert peer.headers["sec-websocket-protocol"] == "chat.v1"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_WebSocket_Key": None},
        {"Sec_WebSocket_Key": "short"},
        {"Sec_WebSocket_Version": None},
        {"Sec_WebSocket_Version": "12"},
        {"Connection": "close"},
    ],
)
def test_what_is_no_handshake_is_refused(server, headers):
    with Peer(server, **headers) as peer:
        assert 400 <= peer.status < 500
        if headers.get("Sec_WebSocket_Version") == "12":
            assert "13" in peer.headers["sec-websocket-version"]  # 4.4


# --- 5.2: lengths -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("size", [125, 126, 127, 128, 65_535, 65_536])
def test_every_way_to_write_a_length_is_read(server, size):
    with Peer(server).hello() as peer:
        peer.send(frame(TEXT, peer.command("ping", f"{size}", size)))
        assert peer.reply() == {"type": "reply", "ref": f"{size}", "ok": True, "data": {}}
        assert lives(peer)


def test_an_empty_message_is_answered(server):
    with Peer(server).hello() as peer:
        peer.send(frame(TEXT))
        assert peer.reply()["error"]["code"] == "invalid"
        assert lives(peer)


@pytest.mark.parametrize(("form", "size"), [(16, 5), (16, 125), (64, 5), (64, 65_535)])
def test_a_length_that_is_not_the_shortest_fails(server, form, size):
    with Peer(server).hello() as peer:
        peer.send(frame(TEXT, b" " * size, form=form))
        assert peer.fails(PROTOCOL_ERROR)


def test_a_length_of_more_than_63_bits_fails(server):
    with Peer(server).hello() as peer:
        peer.send(b"\x81\xff" + b"\xff" * 8 + b"\0" * 4)
        assert peer.fails(PROTOCOL_ERROR)


@pytest.mark.own_server
def test_a_frame_beyond_the_limit_fails_before_its_payload_is_read(server):
    with Peer(server).hello() as peer:
        peer.send(b"\x81\xff" + (1 << 40).to_bytes(8) + b"\0" * 4)
        assert peer.fails(TOO_BIG)


# --- 5.1, 5.2: masks, reserved bits and opcodes -------------------------------------------------------------
def test_a_frame_without_a_mask_fails(server):
    with Peer(server).hello() as peer:
        peer.send(frame(TEXT, peer.command("ping"), masked=False))
        assert peer.fails(PROTOCOL_ERROR)


@pytest.mark.parametrize("rsv", [1, 2, 4, 7])
@pytest.mark.parametrize("opcode", [TEXT, PING])
def test_reserved_bits_fail(server, rsv, opcode):
    with Peer(server).hello() as peer:
        peer.send(frame(opcode, b"x", rsv=rsv))
        assert peer.fails(PROTOCOL_ERROR)


@pytest.mark.parametrize("opcode", [3, 7, 11, 15])
def test_reserved_opcodes_fail(server, opcode):
    with Peer(server).hello() as peer:
        peer.send(frame(opcode, b"x"))
        assert peer.fails(PROTOCOL_ERROR)


# --- 5.4: fragments -----------------------------------------------------------------------------------------
def test_a_message_may_come_in_fragments_with_control_frames_between_them(server):
    with Peer(server).hello() as peer:
        text = peer.command("ping", "é€😀")
        parts = [text[place : place + 1] for place in range(len(text))]
        peer.send(frame(TEXT, parts[0], fin=False), frame(PING, b"between"))
        assert peer.read() == Frame(PONG, b"between")
        peer.send(*(frame(MORE, part, fin=False) for part in parts[1:]), frame(MORE))
        assert peer.reply()["ref"] == "é€😀"
        assert lives(peer)


def test_frames_may_come_byte_by_byte_or_many_at_once(server):
    with Peer(server).hello() as peer:
        peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in frame(TEXT, peer.command("ping", "slowly")):
            peer.socket.sendall(bytes([byte]))
        assert peer.reply()["ref"] == "slowly"
        refs = [f"{number}" for number in range(20)]
        peer.send(*(frame(TEXT, peer.command("ping", ref)) for ref in refs))
        assert sorted(peer.reply()["ref"] for _ in refs) == sorted(refs)


def test_fragments_out_of_their_order_fail(server):
    for frames in (
        [frame(MORE, b"x")],
        [frame(MORE, b"x", fin=False)],
        [frame(TEXT, b"x", fin=False), frame(TEXT, b"y")],
        [frame(TEXT, b"x", fin=False), frame(BINARY, b"y", fin=False)],
    ):
        with Peer(server).hello() as peer:
            peer.send(*frames)
            assert peer.fails(PROTOCOL_ERROR)


# --- 5.5: control frames ------------------------------------------------------------------------------------
def test_a_ping_is_answered_with_what_it_brought(server):
    with Peer(server).hello() as peer:
        for payload in (b"", b"x", bytes(range(125)), b"\xff\xfe"):
            peer.send(frame(PING, payload))
            assert peer.read() == Frame(PONG, payload)


def test_a_pong_that_nobody_asked_for_is_let_pass(server):
    with Peer(server).hello() as peer:
        peer.send(frame(PONG, b"unasked"), frame(PONG))
        assert lives(peer)


@pytest.mark.parametrize("opcode", [CLOSE, PING, PONG])
def test_a_control_frame_that_is_long_or_in_fragments_fails(server, opcode):
    for wrong in (frame(opcode, b"\x03\xe8" + b"x" * 124), frame(opcode, b"\x03\xe8", fin=False)):
        with Peer(server).hello() as peer:
            peer.send(wrong)
            assert peer.fails(PROTOCOL_ERROR, by=opcode)


# --- 5.5.1, 7.4: closing ------------------------------------------------------------------------------------
def test_a_close_is_answered_and_nothing_after_it(server):
    for code in (None, 1000, 1001, 1003, 1007, 1011, 3000, 3999, 4000, 4999):
        with Peer(server).hello() as peer:
            payload = b"" if code is None else code.to_bytes(2) + "für heute".encode()
            peer.send(frame(CLOSE, payload), frame(TEXT, peer.command("ping")), frame(PING, b"x"))
            answer = peer.read()
            assert answer.opcode == CLOSE
            assert answer.code in ({None, 1000} if code is None else {code, 1000})
            assert peer.read() is None


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535])
def test_a_code_that_nobody_may_send_fails(server, code):
    with Peer(server).hello() as peer:
        peer.send(frame(CLOSE, code.to_bytes(2)))
        assert peer.fails(PROTOCOL_ERROR, by=CLOSE)


def test_half_a_code_fails(server):
    with Peer(server).hello() as peer:
        peer.send(frame(CLOSE, b"\x03"))
        assert peer.fails(PROTOCOL_ERROR, by=CLOSE)


# --- 8.1: UTF-8 ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "wrong",
    [
        b"\xff",
        b"\xc0\xaf",  # longer than it need be
        b"\xed\xa0\x80",  # half a surrogate pair
        b"\xf4\x90\x80\x80",  # beyond Unicode
        b"\xe2\x82",  # cut off
        "κόσμε".encode() + b"\x80",
    ],
)
def test_text_that_is_not_utf8_fails(server, wrong):
    for frames in (
        [frame(TEXT, wrong)],
        [frame(TEXT, b"x", fin=False), frame(MORE, wrong)],
        [frame(TEXT, wrong[:1], fin=False), frame(MORE, wrong[1:])],
    ):
        with Peer(server).hello() as peer:
            peer.send(*frames)
            assert peer.fails(NOT_UTF8)


def test_a_reason_that_is_not_utf8_fails(server):
    with Peer(server).hello() as peer:
        peer.send(frame(CLOSE, (1000).to_bytes(2) + b"\xff"))
        assert peer.fails(NOT_UTF8, by=CLOSE)


# --- 5.6: binary --------------------------------------------------------------------------------------------
def test_binary_frames_are_refused_by_the_protocol_and_the_connection_stays(server):
    with Peer(server).hello() as peer:
        for payload in (b"", b"\xff\0", peer.command("ping")):
            peer.send(frame(BINARY, payload))
            answer = peer.reply()
            assert (answer["ok"], answer["error"]["code"]) == (False, "invalid")
        assert lives(peer)
