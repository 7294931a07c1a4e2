"""REST against Schemathesis: whatever its document allows, and what it does not, in the hands of each role.

No answer of 5xx, none that the document does not know, none that breaks its own schema.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth.models import Group

from accounts.models import User
from chat import roles
from tests.cast import cast, person
from tests.oauth import App

pytestmark = [pytest.mark.usefixtures("committed_db"), pytest.mark.timeout(900)]
SCOPES = (
    "profile:read rooms:read rooms:write messages:read messages:write members:read members:write "
    "webhooks:write moderation:read moderation:write realtime"
)
ROLES = ["visitor", "outsider", "member", "owner", "staff"]
MIN_CASES = 2000
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


def token_of(role):
    """A token of an application that acts for someone of this role; None for a visitor without a name."""
    people = cast()
    users = {"outsider": people.dave, "member": people.bob, "owner": people.olga}
    if role == "visitor":
        return None
    user = users.get(role) or person("staff")
    if role == "staff":
        User.objects.filter(pk=user.pk).update(is_staff=True)
        user.groups.set(Group.objects.filter(name=roles.MODERATORS))
    return App(scopes=SCOPES).tokens_for(user, scope=SCOPES)["access_token"]


@pytest.fixture(scope="module")
def cases():
    counted = {}
    yield counted
    if set(counted) == set(ROLES):
        assert sum(counted.values()) >= MIN_CASES, counted


@pytest.mark.parametrize("role", ROLES)
def test_no_request_breaks_the_contract(start_server, tmp_path, cases, role):
    server = start_server(NO_LIMITS="1")
    token = token_of(role)
    report = tmp_path / "events.ndjson"
    command = [
        Path(sys.executable).parent / "schemathesis", "run", f"{server.url}/api/v1/schema",
        "--checks", CHECKS, "--phases", "examples,coverage,fuzzing", "--max-examples", "8",
        "--generation-deterministic", "--no-shrink", "--request-timeout", "20", "--warnings", "off",
        "--report-ndjson-path", report, "--exclude-path-regex", "/stream$",
    ]  # fmt: skip
    if token:
        command += ["--header", f"Authorization: Bearer {token}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=800, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    cases[role] = requests_in(report)
    assert cases[role] > 0
    assert server.get("/healthz")[0] == 200
    assert "Traceback" not in server.output(), server.output()[-4000:]


def requests_in(report):
    """How many requests a run has made, by its own account."""
    return sum(
        len(json.loads(line).get("ScenarioFinished", {}).get("recorder", {}).get("interactions", ()))
        for line in report.read_text(encoding="utf-8").splitlines()
    )
