"""On the path of measured Python processes only: SIGUSR2 collects garbage, so that memory can be compared."""

import gc
import signal


def collect(*_: object) -> None:
    gc.collect()


signal.signal(signal.SIGUSR2, collect)
