"""Our server against clients that send too much, too slowly or nothing, and its way of stopping."""

import json
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Callable
from http.client import HTTPConnection

import psycopg
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from chatproject.server.daphne import MAX_FRAME_BYTES, PING_SECONDS, PONG_SECONDS
from chatproject.server.http import HEADERS_SECONDS, MAX_BODY_BYTES
from chatproject.server.websocket import FRAMES_AT_ONCE, FRAMES_PER_SECOND
from tests.services import RunningServer, wait_for

StartServer = Callable[..., RunningServer]


def test_a_body_over_the_limit_is_refused_before_it_is_read(server: RunningServer) -> None:
    head = f"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: {MAX_BODY_BYTES + 1}\r\n\r\n"
    with socket.create_connection(server.address, timeout=10) as client:
        client.sendall(head.encode())
        status, body = _answer(client)
    assert status == 413
    assert json.loads(body)["code"] == "too_large"


def test_a_chunked_body_is_counted_as_it_arrives(server: RunningServer) -> None:
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    with socket.create_connection(server.address, timeout=10) as client:
        client.sendall(b"POST /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        # Twice the limit: what follows the refusal is taken and thrown away, so that it can be read.
        for _ in range(2 * MAX_BODY_BYTES // 0x10000):
            client.sendall(chunk)
        status, body = _answer(client)
    assert status == 413
    assert json.loads(body)["code"] == "too_large"


def test_a_body_at_the_limit_reaches_the_site(server: RunningServer) -> None:
    connection = HTTPConnection(*server.address, timeout=10)
    connection.request("POST", "/healthz", body=b"x" * MAX_BODY_BYTES)
    assert connection.getresponse().status == 405
    connection.close()


def test_headers_that_trickle_in_meet_a_deadline(server: RunningServer) -> None:
    stop = threading.Event()

    def trickle(client: socket.socket) -> None:
        while not stop.wait(0.5):
            try:
                client.sendall(b"x")
            except OSError:
                return

    with socket.create_connection(server.address, timeout=HEADERS_SECONDS + 5) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nX-Slow: ")
        sender = threading.Thread(target=trickle, args=(client,))
        sender.start()
        status, _ = _answer(client)
        stop.set()
        sender.join()
    assert status == 408


def test_a_connection_serves_several_requests(server: RunningServer) -> None:
    connection = HTTPConnection(*server.address, timeout=10)
    for _ in range(3):
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())) == (200, {"status": "ok"})
    connection.close()


def test_a_silent_socket_is_dropped_and_an_answering_one_is_not(server: RunningServer) -> None:
    with _say_hello(server) as answering, socket.create_connection(server.address) as silent:
        silent.settimeout(PING_SECONDS + 2 + PONG_SECONDS + 1)
        silent.sendall(_handshake(server))
        silent.sendall(_masked_text('{"type": "hello", "ref": "1"}'))
        while _receive(silent):
            pass
        answering.send('{"type": "ping", "ref": "2"}')
        assert _reply(answering, "2")["ok"] is True


def test_a_flood_of_frames_is_read_at_a_pace_and_none_is_lost(server: RunningServer) -> None:
    """They come in one packet, and are answered as the peer's share grows; a second peer is answered too."""
    pings = 1000
    pieces = 2 * pings  # a head and a body
    with _say_hello(server) as other, socket.create_connection(server.address) as flooding:
        flooding.settimeout(30)
        flooding.sendall(_handshake(server))
        assert _receive(flooding).startswith(b"HTTP/1.1 101 ")
        flooding.sendall(_masked_text('{"type": "hello", "ref": "1"}'))
        begun = time.monotonic()
        flooding.sendall((b"\x89\x81" + bytes(4) + b"\x1f") * pings)
        other.send('{"type": "ping", "ref": "2"}')
        assert _reply(other, "2")["ok"] is True
        received = b""
        while received.count(b"\x8a\x01\x1f") < pings:
            received += (more := _receive(flooding))
            assert more
    assert time.monotonic() - begun >= (pieces - FRAMES_AT_ONCE) / FRAMES_PER_SECOND


def test_a_frame_beyond_any_use_closes_the_socket(server: RunningServer) -> None:
    with _say_hello(server) as client:
        client.send("x" * (MAX_FRAME_BYTES + 1))
        _until_closed(client)
    assert client.close_code == 1009


def test_a_stop_finishes_what_is_in_flight_and_says_goodbye(start_server: StartServer) -> None:
    running = start_server()
    with psycopg.connect(os.environ["DATABASE_URL"]) as blocker, _say_hello(running) as client:
        blocker.execute("LOCK TABLE chat_room IN ACCESS EXCLUSIVE MODE")
        answers: list[int] = []
        request = threading.Thread(target=lambda: answers.append(running.get("/")[0]))
        request.start()
        assert wait_for(_someone_waits, seconds=5)
        running.process.send_signal(signal.SIGTERM)
        frames = _until_closed(client)
        blocker.rollback()
        request.join(timeout=10)
        assert json.loads(frames[-1])["type"] == "bye"
        assert client.close_code == 4001
    assert answers in ([200], [302])
    assert running.process.wait(timeout=10) == 0


def test_a_dead_process_is_replaced_and_its_sockets_leave_the_count(start_server: StartServer) -> None:
    running = start_server("--processes", "2", METRICS_TOKEN="secret")
    assert wait_for(lambda: len(running.serving_pids()) == 2, seconds=10)
    first = running.serving_pids()
    os.kill(first[0], signal.SIGKILL)
    assert wait_for(lambda: "restarting" in running.output(), seconds=10)
    assert wait_for(lambda: len(set(running.serving_pids()) - {first[0]}) == 2, seconds=10)
    assert running.get("/readyz")[0] == 200


def test_metrics_want_their_token_and_sum_the_processes(start_server: StartServer) -> None:
    running = start_server("--processes", "2", METRICS_TOKEN="secret")
    assert running.get("/metrics")[0] == 401
    assert running.get("/metrics", headers={"Authorization": "Bearer wrong"})[0] == 401
    clients = [_say_hello(running) for _ in range(6)]
    _, text = running.get("/metrics", headers={"Authorization": "Bearer secret"})
    counted = re.search(r"^sockets ([\d.]+)$", text, re.MULTILINE)
    assert counted is not None
    assert float(counted[1]) == 6
    for client in clients:
        client.close()


def test_limits_are_not_lifted_where_others_can_reach(start_server: StartServer) -> None:
    from chatproject.server.__main__ import main

    assert main(["--host", "0.0.0.0", "--port", "0", "--no-limits"]) == 1
    os.environ.pop("NO_LIMITS")


def _handshake(server: RunningServer) -> bytes:
    return (
        f"GET /ws/v1/ HTTP/1.1\r\nHost: {server.url.removeprefix('http://')}\r\nUpgrade: websocket\r\n"
        f"Origin: {server.url}\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ).encode()


def _say_hello(server: RunningServer) -> ClientConnection:
    client = connect(server.socket_url, origin=server.url, max_size=None)  # type: ignore[arg-type]
    client.send('{"type": "hello", "ref": "hello"}')
    assert _reply(client, "hello")["ok"] is True
    return client


def _reply(client: ClientConnection, ref: str) -> dict[str, object]:
    while True:
        frame: dict[str, object] = json.loads(client.recv(timeout=10))
        if frame.get("ref") == ref:
            return frame


def _until_closed(client: ClientConnection) -> list[str]:
    """All frames up to the close, whatever its code."""
    frames: list[str] = []
    try:
        while True:
            frames.append(str(client.recv(timeout=10)))
    except ConnectionClosed:
        return frames


def _masked_text(text: str) -> bytes:
    """A text frame masked with zeros, for a client that reads frames but answers no ping."""
    assert len(text) < 126
    return bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text.encode()


def _answer(client: socket.socket) -> tuple[int, str]:
    received = b""
    while chunk := _receive(client):
        received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split()[1]), body.decode()


def _receive(client: socket.socket) -> bytes:
    """What has arrived; nothing at the end, also at a hard one."""
    try:
        return client.recv(65536)
    except ConnectionResetError:
        return b""


def _someone_waits() -> bool:
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        return bool(
            connection.execute("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'").fetchone()
        )
