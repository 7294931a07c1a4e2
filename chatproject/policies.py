"""What each sort of answer lets a browser load, run and be framed by, and what all of them carry.

Pages run our modules alone, and make HTML of text in one place (Trusted Types). The admin and the API docs
bring libraries that know nothing of Trusted Types and are otherwise as strict. Whatever is no page (JSON,
files, exports, streams) is closed: opened as a document it can load and run nothing.
Sources: CSP 3; Trusted Types; Fetch, 3.7 (Cross-Origin-Resource-Policy); RFC 6797 (HSTS).
"""

from typing import Any

from csp.constants import NONE, SELF
from csp.utils import build_policy
from django.conf import settings

CSP = "Content-Security-Policy"
Policy = dict[str, list[str]]
WITHOUT_TRUSTED_TYPES: Policy = {
    "default-src": [NONE],
    "script-src": [SELF],
    "style-src": [SELF],
    "img-src": [SELF, "data:"],
    "font-src": [SELF],
    "connect-src": [SELF],
    "form-action": [SELF],
    "manifest-src": [SELF],
    "base-uri": [NONE],
    "frame-ancestors": [NONE],
}
PAGES: Policy = {
    **WITHOUT_TRUSTED_TYPES,
    "require-trusted-types-for": ["'script'"],
    "trusted-types": ["message-html"],
}
CLOSED: Policy = {
    "default-src": [NONE],
    "base-uri": [NONE],
    "form-action": [NONE],
    "frame-ancestors": [NONE],
}
# A picture may colour itself; that is all a file of ours ever does by itself.
FILES: Policy = {**CLOSED, "style-src": ["'unsafe-inline'"]}
RESOURCES = ("Cross-Origin-Resource-Policy", "same-origin")


def closed_headers() -> list[tuple[bytes, bytes]]:
    """The headers of an answer that Django does not give: streams, and what the server itself refuses."""
    headers = [
        (CSP, build_policy(CLOSED)),
        RESOURCES,
        ("Cross-Origin-Opener-Policy", settings.SECURE_CROSS_ORIGIN_OPENER_POLICY),
        ("Referrer-Policy", settings.SECURE_REFERRER_POLICY),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", settings.X_FRAME_OPTIONS),
    ]
    if settings.SECURE_HSTS_SECONDS:
        age = f"max-age={settings.SECURE_HSTS_SECONDS}; includeSubDomains; preload"
        headers.append(("Strict-Transport-Security", age))
    return [(name.lower().encode(), value.encode()) for name, value in headers]


def add_file_headers(headers: Any, _path: str, _url: str) -> None:
    """WhiteNoise's hook: its answers never reach django-csp."""
    headers[CSP] = build_policy(FILES)
