"""What is installed is what was looked at: every package by hash, none below its floor."""

import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent.parent
LOCKS = ["base", "dev", "production", "bench"]
INSTALLED = ["base", "dev"]


def lock_of(name):
    """Package → its version and hashes, as the lock has them."""
    text = (ROOT / f"requirements/{name}.txt").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    packages = {}
    for line in lines:
        requirement, *hashes = line.split("--hash=")
        parsed = Requirement(requirement.strip())
        (pin,) = parsed.specifier
        assert pin.operator == "==", line
        packages[parsed.name.lower()] = pin.version, hashes
    assert packages
    return packages


def floors():
    lines = (ROOT / "requirements/floors.txt").read_text().splitlines()
    return {
        r.name: r.specifier for r in (Requirement(line.split("#")[0]) for line in lines if line[0] != "#")
    }


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_of_a_lock_is_named_by_its_hashes(name):
    for package, (_, hashes) in lock_of(name).items():
        assert hashes, package
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each.strip()) for each in hashes), package


@pytest.mark.parametrize("name", LOCKS)
def test_what_was_asked_for_is_locked(name):
    asked = (ROOT / f"requirements/{name}.in").read_text().splitlines()
    wanted = [Requirement(line.split("#")[0]) for line in asked if re.match(r"[A-Za-z]", line)]
    lock = lock_of("base") | lock_of(name)
    for requirement in wanted:
        pinned, _ = lock[requirement.name.lower()]
        assert requirement.specifier.contains(pinned), requirement


def test_no_lock_is_below_a_floor():
    locks = {name: lock_of(name) for name in LOCKS}
    for package, floor in floors().items():
        pinned = {name: lock[package][0] for name, lock in locks.items() if package in lock}
        assert pinned, f"{package} has a floor and is in no lock"
        assert all(floor.contains(each) for each in pinned.values()), (package, str(floor), pinned)


def test_what_runs_here_is_what_is_locked():
    for name in INSTALLED:
        for package, (pinned, _) in lock_of(name).items():
            try:
                here = version(package)
            except PackageNotFoundError:  # for another system
                continue
            assert Version(here) == Version(pinned), package


def test_packages_are_installed_by_hash_and_nothing_beside_them():
    for script in (ROOT / "bin").iterdir():
        for line in script.read_text().replace("\\\n", " ").splitlines():
            if (
                re.search(r"pip install|-m pip .*install", line)
                and "requirements/" in line
                and "27" not in line
            ):
                is_old = "requirements/conformance.txt" in line  # that pip checks no hashes of builds
                assert is_old or ("--require-hashes" in line and "--no-deps" in line), (script.name, line)
