"""What documents name is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
DOCUMENTS = [
    "README.md",
    "SECURITY.md",
    "CHANGELOG.md",
    *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md")),
]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_to_files(name):
    document = ROOT / name
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text())
    missing = [t for t in targets if not re.match(r"[a-z]+:", t) and not (document.parent / t).exists()]
    assert missing == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_tests_that_are_named_exist(name):
    named = set(re.findall(r"(?:tests/\w+/)?test_\w+\.py", (ROOT / name).read_text()))
    there = {str(path.relative_to(ROOT)) for path in (ROOT / "tests").glob("*/*.py")}
    there |= {str(path.relative_to(ROOT)) for path in (ROOT / "tests/faults/scenarios").glob("*.py")}
    names = {path.rpartition("/")[2] for path in there}
    missing = {each for each in named if each not in (there if "/" in each else names)}
    assert missing == set()
