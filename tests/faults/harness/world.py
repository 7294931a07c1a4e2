"""Real servers, a real Valkey of their own, a bad line where one is wanted, and the crowd in one room."""

import asyncio
import os
import random
import signal
import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from chatproject.launcher.valkey import Valkey
from tests.cast import Cast, do, session_for
from tests.faults.harness.checker import Verdict, check, read_record
from tests.faults.harness.ledger import Ledger
from tests.faults.harness.member import Member
from tests.faults.harness.proxy import Proxy
from tests.services import RunningServer, wait_for

QUIET_SECONDS = 40.0
# In which a client has been told that its line is cut.
NOTICE_SECONDS = 0.1
WRITERS = ("olga", "alice", "bob", "dave", "gil")


class Unsettled(AssertionError):
    """The crowd did not come to rest."""


@dataclass
class World:
    """One scenario. ``line`` is printed at its end."""

    name: str
    people: Cast
    servers: list[RunningServer]
    valkey: Valkey
    ledger: Ledger = field(default_factory=Ledger)
    members: list[Member] = field(default_factory=list)
    helpers: list[Member] = field(default_factory=list)
    proxies: list[Proxy] = field(default_factory=list)
    recovered: float | None = None
    extra: dict[str, str] = field(default_factory=dict)
    _talking: list["asyncio.Task[None]"] = field(default_factory=list)

    @property
    def room(self) -> int:
        return self.people.room.pk

    # --- the crowd ---------------------------------------------------------------------------------------

    async def join(
        self, count: int, *, doors: Iterable[str] | None = None, origin: str | None = None
    ) -> list[Member]:
        """``count`` more clients, of the writers in turn, once each is in the room."""
        urls = list(doors or [server.socket_url for server in self.servers])
        keys = {who: await do(session_for, getattr(self.people, who)) for who in WRITERS}
        made = []
        for number in range(count):
            who = WRITERS[number % len(WRITERS)]
            name = f"{who}{len(self.members)}"
            member = Member(self.ledger, name, keys[who], self.room, urls, origin=origin)
            self.members.append(member)
            made.append(member.start())
        for member in made:
            if not await member.until(member.in_room.is_set, seconds=QUIET_SECONDS):
                raise Unsettled(f"{member.name} did not get into the room")
        return made

    async def through(self, server: RunningServer, count: int, **line: Any) -> tuple[Proxy, list[Member]]:
        """``count`` clients that reach ``server`` over a line of their own."""
        proxy = await Proxy(server.address).start()
        self.proxies.append(proxy)
        members = await self.join(count, doors=[proxy.socket_url], origin=server.url)
        for name, value in line.items():
            setattr(proxy, name, value)
        return proxy, members

    def talk(self, members: Iterable[Member], *, every: float = 0.1) -> None:
        """Lets these clients write about one message each ``every`` seconds, as long as the last got out."""
        for member in members:
            self._talking.append(asyncio.create_task(self._talk(member, every)))

    async def _talk(self, member: Member, every: float) -> None:
        number = 0
        while True:
            await asyncio.sleep(every * random.uniform(0.5, 1.5))
            if member.waiting < 5:
                number += 1
                member.say(f"{member.name}/{number}")

    async def hush(self) -> None:
        """Nobody begins a new message."""
        for task in self._talking:
            task.cancel()
        await asyncio.gather(*self._talking, return_exceptions=True)
        self._talking.clear()

    async def pass_time(self, seconds: float) -> None:
        """Lets the crowd go on; a client that broke down is told of at once."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            await asyncio.sleep(min(left, 0.25))
            for member in self.members:
                member.check_alive()

    # --- quiet and the end -------------------------------------------------------------------------------

    async def in_sync(self, *, since: float | None = None, seconds: float = QUIET_SECONDS) -> float:
        """The seconds, from ``since`` or now, until every client is in the room and shows all that had been
        acknowledged by then."""
        begun = time.monotonic() if since is None else since
        await asyncio.sleep(NOTICE_SECONDS)
        for member in self._present():
            if not await member.until(member.in_room.is_set, seconds=seconds):
                raise Unsettled(f"{member.name} is not in the room after {seconds} s")
        target = max((send.seq or 0 for send in self.ledger.acknowledged), default=0)
        for member in self._present():
            if not await member.until(lambda member=member: member.last >= target, seconds=seconds):
                raise Unsettled(f"{member.name} shows {member.last} of {target} after {seconds} s")
        return time.monotonic() - begun

    async def settle(self, *, seconds: float = QUIET_SECONDS) -> None:
        """Quiet: every message has its answer and every client shows the whole log."""
        await self.hush()
        for member in self._present():
            if not await member.until(lambda member=member: not member.waiting, seconds=seconds):
                raise Unsettled(f"{member.name} still has {member.waiting} messages without an answer")
        head = (await do(read_record, self.room)).last_seq
        for member in self._present():
            if not await member.until(lambda member=member: member.last >= head, seconds=seconds):
                raise Unsettled(f"{member.name} shows {member.last} of {head}")

    def _present(self) -> list[Member]:
        for member in self.members:
            member.check_alive()
        return [member for member in self.members if member.barred is None]

    async def judge(self) -> Verdict:
        """What the checker finds now."""
        return check(self.ledger, await do(read_record, self.room))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Its clients end with it; the servers are the test's."""
        await self.hush()
        await asyncio.gather(*(member.stop() for member in [*self.members, *self.helpers]))
        for proxy in self.proxies:
            await proxy.close()

    def line(self, verdict: Verdict) -> str:
        """One line for the scenario."""
        ledger = self.ledger
        recover = "-" if self.recovered is None else f"{self.recovered:.1f}s"
        found = (
            f"{self.name}: N={len(ledger.sends)} acked={len(ledger.acknowledged)} lost={len(verdict.lost)} "
            f"dup={len(verdict.dup)} disorder={len(verdict.disorder)} recover={recover} "
            f"closes={sum(ledger.closes.values())}"
        )
        if ledger.delays:
            p99 = (
                statistics.quantiles(ledger.delays, n=100)[98] if len(ledger.delays) > 1 else ledger.delays[0]
            )
            self.extra["p99"] = f"{p99:.2f}s"
        more = "".join(f" {name}={value}" for name, value in self.extra.items())
        return found + more


class Database:
    """The PostgreSQL of this run: the launcher starts it again when it ends."""

    def __init__(self) -> None:
        self._pid_file = Path(os.environ["RUN_FOLDER"]) / "data/postgres/postmaster.pid"

    def _pid(self) -> int | None:
        try:
            lines = self._pid_file.read_text(encoding="utf-8").splitlines()
        except OSError:
            return None
        return int(lines[0]) if len(lines) > 7 and lines[7].strip() == "ready" else None

    async def restart(self, how: signal.Signals) -> None:
        """SIGINT is PostgreSQL's fast stop, SIGQUIT its immediate one; returns when it serves again."""
        before = self._pid()
        assert before is not None
        os.kill(before, how)
        again = lambda: self._pid() not in {None, before}  # noqa: E731
        if not await asyncio.to_thread(wait_for, again, seconds=30):
            raise Unsettled("PostgreSQL did not come back")
