"""The budgets of size: what is larger has two subjects."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
MAX_MODULE, MAX_FUNCTION, MAX_SCRIPT = 300, 40, 150


def modules():
    for package in ("chatproject", "accounts", "chat", "api"):
        yield from (p for p in (ROOT / package).rglob("*.py") if "migrations" not in p.parts)


def test_no_module_is_longer_than_its_budget():
    lengths = {str(path): len(path.read_text().splitlines()) for path in modules()}
    assert lengths and {name: n for name, n in lengths.items() if n > MAX_MODULE} == {}


def test_no_function_is_longer_than_its_budget():
    long = {}
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                if length > MAX_FUNCTION:
                    long[f"{path.name}:{node.name}"] = length
    assert long == {}


def test_no_script_is_longer_than_its_budget():
    scripts = [p for p in (ROOT / "static/js").rglob("*.js") if "vendor" not in p.parts]
    lengths = {path.name: len(path.read_text().splitlines()) for path in scripts}
    assert lengths and {name: n for name, n in lengths.items() if n > MAX_SCRIPT} == {}
