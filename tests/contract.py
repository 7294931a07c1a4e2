"""Everything that tests see on the wire is held against the published contracts."""

import json
import re
from functools import lru_cache
from typing import Any

import jsonschema_rs


@lru_cache(maxsize=1)
def _frames() -> dict[str, tuple[Any, set[str]]]:
    """A validator and the known fields for each type of frame, from the AsyncAPI document."""
    from api.asyncapi import document

    made = document()
    schemas = made["components"]["schemas"]
    found = {}
    for name, message in made["components"]["messages"].items():
        schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": schemas}}
        found[message["name"]] = (jsonschema_rs.validator_for(schema), set(schemas[name]["properties"]))
    return found


def check_frame(frame: dict[str, Any]) -> None:
    """Whether a frame that came, or that was sent and accepted, is one of the AsyncAPI document."""
    validator, known = _frames()[frame["type"]]
    validator.validate(frame)
    assert set(frame) <= known, f"undocumented fields: {set(frame) - known}"


@lru_cache(maxsize=1)
def _operations() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    from drf_spectacular.generators import SchemaGenerator

    document = json.loads(json.dumps(SchemaGenerator().get_schema(request=None, public=True)))
    components = document["components"]
    found = []
    for path, methods in document["paths"].items():
        pattern = re.compile(re.sub(r"\\{\w+\\}", r"\\d+", re.escape(path)) + "$")
        compiled = {}
        for method, operation in methods.items():
            compiled[method] = {
                status: _validators(answer, components) for status, answer in operation["responses"].items()
            }
        found.append((pattern, compiled))
    return found


def _validators(answer: dict[str, Any], components: Any) -> dict[str, Any]:
    return {
        kind: jsonschema_rs.validator_for({**content["schema"], "components": components})
        for kind, content in answer.get("content", {}).items()
    }


def check_response(method: str, path: str, status: int, kind: str, content: bytes) -> None:
    """Whether an answer of REST is one of the OpenAPI document; paths that are none of its are let be."""
    for pattern, methods in _operations():
        if not pattern.match(path) or method.lower() not in methods:
            continue
        answers = methods[method.lower()]
        assert str(status) in answers or status >= 400, f"{method} {path}: {status} is not documented"
        validators = answers.get(str(status), answers.get("default", {}))
        if content:
            assert kind in validators, f"{method} {path}: {status} {kind} is not documented"
            validators[kind].validate(json.loads(content))
        else:
            assert not validators, f"{method} {path}: {status} without a body is not documented"
        return
