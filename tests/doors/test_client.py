"""The client library in Node: its own tests, its types, and a real server over a line that is cut."""

import json
import re
import subprocess
from pathlib import Path

import msgspec
import pytest

from chat.models import Kind, Message
from chat.payloads import MessagePayload, Person, RoomPayload
from chat.realtime.protocol import Close
from tests.browser.wire import Wire
from tests.cast import cast
from tests.oauth import App

ROOT = Path(__file__).resolve().parents[2]
NODE = ROOT / "tests/node"
TYPES = (ROOT / "static/js/chat-client/index.d.ts").read_text()
MESSAGES = 30
CUTS = 3


@pytest.fixture
def wire():
    made = Wire()
    yield made
    made.close()


class Program:
    """tests/node/client.js: takes orders, and is heard line by line."""

    def __init__(self, **start):
        self.process = subprocess.Popen(
            ["node", "client.js"], cwd=NODE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.heard = []
        self.order(start=start)

    def order(self, **order):
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()

    def until(self, done):
        """Reads on until ``done(line)``; a program that ends first fails the test."""
        while True:
            line = json.loads(self.process.stdout.readline())
            self.heard.append(line)
            if done(line):
                return line

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(timeout=10) == 0


def test_nothing_is_lost_repeated_or_reordered_over_a_line_that_is_cut(start_server, committed_db, wire):
    people = cast()
    server = start_server(SITE_URL=wire.url, NO_LIMITS="1")
    wire.lead_to(server.address)
    room = people.room.pk
    token = App().tokens_for(people.bob, scope="messages:read messages:write realtime")["access_token"]
    program = Program(site=wire.url, token=token, room=room)
    try:
        program.until(lambda line: line.get("phase") == "ready")
        for number in range(MESSAGES):
            program.order(post=f"m{number}")
            if number % (MESSAGES // CUTS) == MESSAGES // CUTS // 2:
                wire.cut()
                program.until(lambda line: line.get("phase") == "waiting")
                wire.mend()
        program.until(lambda line: line.get("sent") == f"m{MESSAGES - 1}")
        last = Message.objects.filter(room=room).order_by("-seq").first()
        if not any(line.get("kind") and line["seq"] == last.seq for line in program.heard):
            program.until(lambda line: line.get("kind") and line["seq"] == last.seq)
        program.end()
    finally:
        program.process.kill()
    written = [f"m{number}" for number in range(MESSAGES)]
    assert list(Message.objects.filter(room=room).order_by("seq").values_list("body", flat=True)) == written
    assert [line["sent"] for line in program.heard if "sent" in line] == written
    events = [line for line in program.heard if line.get("kind")]
    assert [line["seq"] for line in events] == list(range(events[0]["seq"], last.seq + 1))
    assert [line["body"] for line in events if line["kind"] == "message.posted"] == written


def test_library_passes_its_tests_in_node():
    ran = subprocess.run(
        ["node", "pure.js"], cwd=NODE, check=False, capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    written = (ROOT / "tests/browser/lib/client.test.js").read_text()
    assert len(ran.stdout.splitlines()) == len(re.findall(r'^  async "', written, flags=re.MULTILINE)) > 0


def test_guide_and_types_agree(tmp_path):
    blocks = re.findall(r"```ts\n(.+?)```", (ROOT / "docs/client.md").read_text(), flags=re.DOTALL)
    assert blocks
    for number, block in enumerate(blocks):
        (tmp_path / f"{number}.ts").write_text(
            block.replace('"/static/js/chat-client/index.js"', '"chat-client"')
        )
    options = {
        "strict": True,
        "noEmit": True,
        "target": "es2022",
        "module": "es2022",
        "moduleResolution": "bundler",
        "skipLibCheck": False,
        "types": [],
        "paths": {"chat-client": [str(ROOT / "static/js/chat-client/index.d.ts")]},
    }
    project = tmp_path / "tsconfig.json"
    project.write_text(json.dumps({"compilerOptions": options, "include": ["*.ts"]}))
    compiler = NODE / "node_modules/typescript/bin/tsc"
    ran = subprocess.run(
        ["node", compiler, "-p", project], check=False, capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize(
    ("name", "struct"), [("Person", Person), ("Message", MessagePayload), ("Room", RoomPayload)]
)
def test_types_have_the_fields_of_the_payloads(name, struct):
    body = re.search(rf"^export interface {name} \{{\n(.+?)^\}}", TYPES, flags=re.DOTALL | re.MULTILINE)[1]
    declared = dict(re.findall(r"^  (\w+): (.+);$", body, flags=re.MULTILINE))
    assert list(declared) == [field.name for field in msgspec.structs.fields(struct)]
    nullable = {field.name for field in msgspec.structs.fields(struct) if type(None) in _members(field.type)}
    assert {field for field, kind in declared.items() if "null" in kind} == nullable


def test_types_know_every_kind_of_event():
    assert set(re.findall(r'EventOf<"([^"]+)"', TYPES)) == set(Kind.values)


def test_final_closes_are_the_servers():
    codes = [value for name, value in vars(Close).items() if name.isupper()]
    source = (ROOT / "static/js/chat-client/backoff.js").read_text()
    low, high = map(int, re.search(r"closeCode >= (\d+) && closeCode <= (\d+)", source).groups())
    assert {code for code in codes if low <= code <= high} == {
        Close.PROTOCOL_ERROR,
        Close.NOT_AUTHENTICATED,
        Close.BANNED,
        Close.SESSION_ENDED,
        Close.VERSION,
    }


def _members(kind):
    return getattr(kind, "__args__", (kind,))
