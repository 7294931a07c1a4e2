"""What the settings make of the environment."""

import json
import os
import subprocess
import sys

import pytest

SCRIPT = """
import json
from django.conf import settings
print(json.dumps(settings.DATABASES["default"]["OPTIONS"]))
"""


@pytest.mark.parametrize(
    ("address", "seconds"), [("", 10), ("?tcp_user_timeout=3000", 3), ("?connect_timeout=60", 10)]
)
def test_a_database_host_that_is_gone_is_given_up_soon_unless_the_address_says_otherwise(address, seconds):
    environment = {**os.environ, "DATABASE_URL": f"postgresql://chat@db.example.org/chat{address}"}
    printed = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, check=True, text=True
    )
    options = json.loads(printed.stdout)
    assert int(options["tcp_user_timeout"]) == seconds * 1000
    assert options["keepalives_idle"] + options["keepalives_interval"] * options["keepalives_count"] <= 12
    assert int(options["connect_timeout"]) == (60 if "connect" in address else 5)
