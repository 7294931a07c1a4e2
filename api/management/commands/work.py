"""``manage.py work``: runs the jobs in the background until it is told to stop."""

import asyncio
import contextlib
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from procrastinate import App
from procrastinate.contrib.django import app

BEAT_SECONDS = 2.0
# A worker that was silent for so long has died; its jobs are for the others.
DEAD_SECONDS = 8.0


class Command(BaseCommand):
    help = "Runs background jobs. SIGTERM lets those that run finish."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--concurrency", type=int, default=8, help="jobs at a time")

    def handle(self, *, concurrency: int, **_: Any) -> None:
        asyncio.run(work(concurrency))


async def work(concurrency: int) -> None:
    """One worker on connections of its own, which hears of new jobs at once."""
    worker = app.with_connector(app.connector.get_worker_connector())  # type: ignore[attr-defined]
    async with worker.open_async():
        heirs = asyncio.create_task(take_over_for_ever(worker))
        try:
            await worker.run_worker_async(
                concurrency=concurrency,
                delete_jobs="successful",
                shutdown_graceful_timeout=20,
                update_heartbeat_interval=BEAT_SECONDS,
                stalled_worker_timeout=DEAD_SECONDS,
            )
        finally:
            heirs.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await heirs


async def take_over_for_ever(worker: App) -> None:
    """Has the jobs of workers that have died run again: a job may run twice, and is never lost."""
    while True:
        for job in await worker.job_manager.get_stalled_jobs(seconds_since_heartbeat=DEAD_SECONDS):
            await worker.job_manager.retry_job(job)
        await asyncio.sleep(BEAT_SECONDS)
