"""Fan-out to 500: the sender at one process, the readers at another where the peer can do that."""

from benchmarks.plan import Plan, Sample
from benchmarks.scenarios.flood import flood
from benchmarks.servers import (
    FLASK,
    OURS,
    PYTHON_SOCKETIO,
    SOCKETIO,
    TEXTBOOK,
    UVICORN,
    WS,
    Peer,
    running,
    running_pair,
)

NAME = "fanout"
PEERS = [OURS, SOCKETIO, TEXTBOOK, WS, PYTHON_SOCKETIO, FLASK, UVICORN]


def measure_peer(peer: Peer, plan: Plan, repeat: int) -> list[Sample]:
    if peer.through_redis:
        with running_pair(peer) as (sender_at, readers_at):
            results = flood(plan, sender_at=sender_at, readers_at=readers_at)
    else:
        with running(peer) as server:
            results = flood(plan, sender_at=server, readers_at=server)
    return [
        Sample(NAME, f"{in_flight} in flight", peer.name, repeat, values)
        for in_flight, values in results.items()
    ]
