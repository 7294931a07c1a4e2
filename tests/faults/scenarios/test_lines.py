"""Lines that lose answers, carry nothing, are slow, or are cut all at once."""

import asyncio
import time

import pytest

pytestmark = [pytest.mark.timeout(240), pytest.mark.own_server]
HALF_OPEN_SECONDS = 22.0
TOKEN = "let-me-look"
TOO_SLOW = 4002


@pytest.mark.quick
async def test_acknowledgements_are_lost_and_what_was_sent_is_sent_again(scene):
    async with scene("lost-acks", servers=1) as world:
        proxy, members = await world.through(world.servers[0], 8)
        await world.join(4)
        world.talk(members, every=0.05)
        await world.pass_time(0.5)
        for _ in range(6):
            proxy.deaf = True
            await world.pass_time(0.3)
            proxy.cut()
            proxy.deaf = False
            await world.pass_time(1.2)
        world.recovered = await world.in_sync()
        repeats = sum(send.tries > 1 for send in world.ledger.sends.values())
        world.extra["sent-again"] = str(repeats)
        assert repeats > 0


async def test_peers_that_are_gone_without_a_word(scene):
    """The server drops them; the clients, who hear nothing, look for another line."""
    async with scene("half-open", servers=1, METRICS_TOKEN=TOKEN) as world:
        proxy, members = await world.through(world.servers[0], 10)
        world.talk(members)
        world.talk(await world.join(4))
        await world.pass_time(1)
        before = await asyncio.to_thread(sockets, world.servers[0])
        gone, begun = proxy.go_silent(), time.monotonic()
        proxy.refusing = True  # so that none of them comes back while they are counted
        while await asyncio.to_thread(sockets, world.servers[0]) > before - gone:
            await world.pass_time(0.25)
            assert time.monotonic() - begun <= HALF_OPEN_SECONDS + 1
        world.extra["dropped"] = f"{time.monotonic() - begun:.1f}s"
        proxy.refusing = False
        world.recovered = await world.in_sync(since=begun)


def sockets(server):
    """How many the server counts."""
    _, text = server.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    return float(next(line for line in text.splitlines() if line.startswith("sockets ")).split()[1])


@pytest.mark.quick
async def test_slow_lines_hold_nobody_up(scene):
    async with scene("slow-lines", servers=1) as world:
        _, slow = await world.through(world.servers[0], 6, delay_seconds=0.3, bytes_per_second=40_000)
        fast = await world.join(6)
        world.talk(fast)
        world.talk(slow, every=0.5)
        await world.pass_time(6)
        world.recovered = await world.in_sync()
        assert set(world.ledger.closes) <= {TOO_SLOW}
        quick = [d.at - world.ledger.sends[c].acked_at for d, c in of(world, fast)]
        assert max(quick) < 1.0, max(quick)


def of(world, members):
    """Displays of these members' own messages on their own screens, with the client id."""
    by_seq = {send.seq: send for send in world.ledger.acknowledged}
    for member in members:
        for display in member.screen.shown:
            send = by_seq.get(display.seq)
            if send is not None and send.author == member.name:
                yield display, send.client_id


async def test_five_hundred_sockets_are_cut_at_once(scene):
    async with scene("500-cut", servers=2) as world:
        lines = [await world.through(server, 250) for server in world.servers]
        world.talk(lines[0][1][:5], every=1.0)
        await world.pass_time(2)
        for _ in range(2):
            begun = time.monotonic()
            assert sum([proxy.cut() for proxy, _ in lines]) == 500
            world.recovered = await world.in_sync(since=begun)
            await world.pass_time(1)
