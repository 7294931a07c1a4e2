"""The OpenAPI and AsyncAPI documents: valid for the makers' own tools, and true."""

import json
import subprocess
from pathlib import Path

import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from openapi_spec_validator import OpenAPIV31SpecValidator

from chat.realtime.protocol import parse_command
from chatproject.errors import AppError
from tests.rest import Caller

NODE = Path(__file__).resolve().parent.parent / "node"


def test_the_openapi_document_is_valid_and_made_without_a_warning():
    response = Caller().get("schema")
    document = response.json()
    OpenAPIV31SpecValidator(document).validate()
    assert document["openapi"].startswith("3.1")
    assert document["components"]["schemas"]["MessageChange"]["required"] == ["body"]
    assert document["components"]["schemas"]["MessagePayload"]["properties"]["deleted_by"]
    GENERATOR_STATS.reset()
    SchemaGenerator().get_schema(request=None, public=True)
    assert not GENERATOR_STATS


def test_the_openapi_document_has_each_method_of_a_path_and_its_refusals():
    paths = Caller().get("schema").json()["paths"]
    assert set(paths["/api/v1/rooms/{room_id}"]) == {"get", "patch", "delete"}
    assert "application/problem+json" in paths["/api/v1/me"]["get"]["responses"]["default"]["content"]


def test_the_asyncapi_document_is_valid_for_the_parser_of_its_makers():
    text = Caller().get("asyncapi").content
    answer = subprocess.run(
        ["node", "asyncapi.js"], cwd=NODE, input=text, capture_output=True, check=True, timeout=60
    )
    told = json.loads(answer.stdout)
    assert (told["parsed"], told["operations"], told["found"]) == (True, 2, [])


def test_a_command_of_the_asyncapi_document_is_one_that_the_server_takes():
    document = Caller().get("asyncapi").json()
    commands = {
        document["components"]["messages"][message["$ref"].rpartition("/")[2]]["name"]
        for message in document["operations"]["commands"]["messages"]
    }
    assert commands >= {"hello", "room.open", "message.post"}
    for name in commands:
        with pytest.raises(AppError) as refused_:
            parse_command(json.dumps({"type": name, "ref": "1", "unknown": 1}))
        assert "unknown" in refused_.value.message
