"""What the processes count. Under our server the numbers of all processes are summed (see health)."""

from prometheus_client import Counter, Gauge

# Counters are exposed with the suffix _total.
LIMITER_FALLBACK = Counter("limiter_fallback", "Limits decided by one process alone because Redis was away.")
DOORBELL_FAILURES = Counter("doorbell_failures", "Bells that could not be rung; the heal makes up for them.")
HEALED_EVENTS = Counter("healed_events", "Events read from the log by the heal instead of the bell.")
SENDS = Counter("sends", "Commands that changed a room, by their outcome.", ["outcome"])
BATCH_SIZE = Counter("batched_sends", "Sends written, and the transactions they took.", ["part"])
DELIVERIES = Counter("deliveries", "Event frames written to sockets.")
SLOW_READERS = Counter("slow_readers", "Sockets closed because they did not read.")
SOCKETS = Gauge("sockets", "Open sockets.", multiprocess_mode="livesum")
OPEN_ROOMS = Gauge("open_rooms", "Rooms in memory, summed over processes.", multiprocess_mode="livesum")
