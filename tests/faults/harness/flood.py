"""``python -m tests.faults.harness.flood KIND HOST PORT ROOM SECONDS CORE``: one client that means harm.

Its session key comes on standard input. It sends as fast as it is let, reads nothing but what frees its line,
and comes back when it is thrown out. Its last line says how many bytes it got rid of, and how often it was
thrown out.
"""

import contextlib
import itertools
import json
import os
import select
import socket
import sys
import time
from collections.abc import Iterator
from uuid import uuid4

TEXT, PING = 0x81, 0x89


def frame(opcode: int, payload: bytes) -> bytes:
    """A client's frame; the mask of zeros leaves the payload as it is (RFC 6455, 5.3)."""
    size = len(payload)
    if size < 126:
        head = bytes([opcode, 0x80 | size])
    elif size < 65_536:
        head = bytes([opcode, 0x80 | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([opcode, 0x80 | 127]) + size.to_bytes(8, "big")
    return head + bytes(4) + payload


def posts(room: int) -> Iterator[bytes]:
    """Messages, each a new one."""
    for number in itertools.count():
        command = {"type": "message.post", "ref": str(number), "room": room, "body": "flood"}
        yield frame(TEXT, json.dumps(command | {"client_id": str(uuid4())}).encode())


KINDS = {
    "messages": posts,
    "one-byte": lambda room: itertools.repeat(frame(TEXT, b"{") * 200),
    "64-KiB": lambda room: itertools.repeat(frame(TEXT, b'"' + b"x" * 65_534 + b'"')),
    "pings": lambda room: itertools.repeat(frame(PING, b"x" * 100) * 100),
    "malformed": lambda room: itertools.repeat(frame(TEXT, b'{"type": "message.post", "ref": 1}') * 50),
}


def handshake(address: tuple[str, int], session: str, room: int) -> socket.socket:
    """An open socket that has said hello and followed the room."""
    sock = socket.create_connection(address, timeout=5)
    host = f"{address[0]}:{address[1]}"
    sock.sendall(
        f"GET /ws/v1/ HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        f"Cookie: session={session}\r\n\r\n".encode()
    )
    if b"101" not in sock.recv(4096):
        raise ConnectionError("no handshake")
    sock.sendall(frame(TEXT, b'{"type": "hello", "ref": "h"}'))
    sock.sendall(frame(TEXT, json.dumps({"type": "room.open", "ref": "o", "room": room}).encode()))
    sock.setblocking(False)
    return sock


def flood(sock: socket.socket, source: Iterator[bytes], end: float) -> int:
    """Bytes sent until ``end`` or until the server has had enough."""
    sent, rest = 0, b""
    with contextlib.suppress(OSError):
        while time.monotonic() < end:
            readable, writable, _ = select.select([sock], [sock], [], 0.2)
            if readable and not sock.recv(1 << 16):
                break
            if writable:
                rest = rest or next(source)
                count = sock.send(rest)
                sent, rest = sent + count, rest[count:]
    return sent


def main(kind: str, host: str, port: str, room: str, seconds: str, core: str) -> None:
    session = sys.stdin.readline().strip()
    os.sched_setaffinity(0, {int(core)})
    end = time.monotonic() + float(seconds)
    source, sent, thrown_out = KINDS[kind](int(room)), 0, -1
    while time.monotonic() < end:
        thrown_out += 1
        try:
            sock = handshake((host, int(port)), session, int(room))
        except OSError:
            time.sleep(0.2)
            continue
        with sock:
            sent += flood(sock, source, end)
    sys.stdout.write(f"{sent} {thrown_out}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
