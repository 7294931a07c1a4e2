"""The OpenAPI document: payload shapes from their msgspec types, and how one signs in."""

from typing import Any

import msgspec
from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension

_shapes: dict[str, type[msgspec.Struct]] = {}


def shape(*structs: type[msgspec.Struct]) -> dict[str, Any]:
    """A reference to ``structs``, which become components of the document; of several, to one of them."""
    _shapes.update({struct.__name__: struct for struct in structs})
    references = [{"$ref": f"#/components/schemas/{struct.__name__}"} for struct in structs]
    return references[0] if len(references) == 1 else {"anyOf": references}


def add_shapes(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Writes the components that ``shape`` refers to: drf-spectacular's POSTPROCESSING_HOOKS."""
    _, components = msgspec.json.schema_components(
        [_shapes[name] for name in sorted(_shapes)], ref_template="#/components/schemas/{name}"
    )
    result.setdefault("components", {}).setdefault("schemas", {}).update(components)
    return result


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How a bearer token is shown."""

    target_class = "api.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class CookieScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the session cookie is shown; what is written also needs the header ``X-CSRFToken``."""

    target_class = "api.authentication.CookieAuthentication"
    name = "cookie"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}
