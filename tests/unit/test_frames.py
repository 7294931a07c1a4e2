"""Ready frames: their bytes, their order beside Twisted's own writes, and peers that are gone."""

import asyncio
import socket

import pytest
import websockets.frames
from twisted.internet import tcp

from chatproject.server import websocket
from chatproject.server.frames import text_frame
from chatproject.server.websocket import FrameProtocol, can_be_written_directly


class Reader:
    """Parses what a browser would."""

    def __init__(self, data):
        self.data = data

    def read_exact(self, size):
        yield from ()
        taken, self.data = self.data[:size], self.data[size:]
        return taken


def parse(data):
    reader = Reader(data)
    frames = []
    while reader.data:
        step = websockets.frames.Frame.parse(reader.read_exact, mask=False)
        try:
            next(step)
        except StopIteration as end:
            frames.append(end.value)
    return frames


@pytest.mark.parametrize("size", [1, 125, 126, 65_535, 65_536])
def test_a_ready_frame_is_one_that_a_browser_reads(size):
    (frame,) = parse(text_frame(b"x" * size))
    assert (frame.opcode, frame.fin, frame.data) == (websockets.frames.Opcode.TEXT, True, b"x" * size)


class Transport:
    """Twisted's buffer without a reactor."""

    def __init__(self, end):
        self.socket = end
        self.dataBuffer = b""
        self._tempDataLen = 0
        self.written = []

    def write(self, data):
        self.written.append(data)
        self._tempDataLen += len(data)


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    yield ours, theirs
    ours.close()
    theirs.close()


@pytest.fixture
def protocol(ends):
    protocol = FrameProtocol()
    protocol.transport = Transport(ends[0])
    protocol.state = FrameProtocol.STATE_OPEN
    protocol._direct = True
    return protocol


def test_a_frame_for_a_peer_that_has_read_everything_is_sent_at_once(protocol, ends):
    assert protocol.write_frames(b"now") == 0
    assert ends[1].recv(100) == b"now"
    assert protocol.transport.written == []


def test_a_frame_waits_behind_what_twisted_still_has(protocol, ends):
    protocol.transport.write(b"earlier")
    assert protocol.write_frames(b"later") == len(b"earlierlater")
    assert protocol.transport.written == [b"earlier", b"later"]


def test_the_rest_of_a_frame_that_did_not_fit_is_left_to_twisted(protocol, ends):
    big = bytes(range(256)) * 8192
    waiting = protocol.write_frames(big)
    assert 0 < waiting < len(big)
    arrived = b""
    while len(arrived) < len(big) - waiting:
        arrived += ends[1].recv(1 << 20)
    assert arrived + b"".join(protocol.transport.written) == big


@pytest.mark.parametrize("break_it", ["close", "remove"])
def test_a_peer_that_is_gone_is_left_to_twisted(protocol, break_it):
    if break_it == "close":
        protocol.transport.socket.close()
    else:  # what Twisted does to the attribute when it has lost the connection
        del protocol.transport.socket
    assert protocol.write_frames(b"late") == 4
    assert protocol.transport.written == [b"late"]


def test_nothing_follows_a_close(protocol, ends):
    protocol.state = FrameProtocol.STATE_CLOSING
    assert protocol.write_frames(b"too late") == 0
    assert protocol.transport.written == []
    with pytest.raises(BlockingIOError):
        ends[1].recv(100)


def test_another_transport_is_written_to_in_the_public_way(protocol, ends):
    protocol._direct = can_be_written_directly(protocol.transport)
    assert not protocol._direct
    assert protocol.write_frames(b"public") == 0
    assert protocol.transport.written == [b"public"]


def test_twisted_still_has_the_attributes_the_direct_way_needs():
    transport = tcp.Connection(socket.socket(), None, reactor=object())
    assert can_be_written_directly(transport)
    del transport.socket
    assert not can_be_written_directly(transport)


async def test_a_peer_that_takes_nothing_is_given_up_and_one_that_takes_it_late_is_not(monkeypatch, protocol):
    monkeypatch.setattr(websocket, "STALL_SECONDS", 0)
    stalled = asyncio.Event()
    protocol.on_stalled = stalled.set
    protocol.pauseProducing()
    protocol.resumeProducing()
    later = asyncio.Event()
    asyncio.get_running_loop().call_later(0, later.set)
    await later.wait()
    assert not stalled.is_set()
    protocol.pauseProducing()
    await asyncio.wait_for(stalled.wait(), 5)


async def test_a_stalled_peer_that_is_closing_already_is_cut(monkeypatch, protocol):
    monkeypatch.setattr(websocket, "STALL_SECONDS", 0)
    cut = asyncio.get_running_loop().create_future()
    protocol.dropConnection = lambda *, abort: cut.set_result(abort)
    protocol.on_stalled = lambda: pytest.fail("the application has nothing more to say")
    protocol.state = FrameProtocol.STATE_CLOSING
    protocol.pauseProducing()
    assert await asyncio.wait_for(cut, 5)
