"""The promise under faults: a crowd of clients, a ledger of what they were told, and who checks it.

``member`` is a client that keeps the rules of ``docs/protocol.md``; ``ledger`` holds every send, every answer
and every event that was displayed; ``checker`` holds the ledger against the database; ``proxy`` is a bad line
between them; ``world`` starts the real servers; ``entry`` starts one with a promise taken out.
"""
