"""The same work in one process: this project writes every message durably, the peers write nothing."""

from benchmarks.plan import Plan, Sample
from benchmarks.scenarios.flood import flood
from benchmarks.servers import OURS, PYTHON_SOCKETIO, SOCKETIO, WS, Peer, running

NAME = "one_process"
PEERS = [OURS, SOCKETIO, WS, PYTHON_SOCKETIO]


def measure_peer(peer: Peer, plan: Plan, repeat: int) -> list[Sample]:
    with running(peer) as server:
        results = flood(plan, sender_at=server, readers_at=server)
    return [
        Sample(NAME, f"{in_flight} in flight", peer.name, repeat, values)
        for in_flight, values in results.items()
    ]
