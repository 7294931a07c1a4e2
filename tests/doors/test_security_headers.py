"""Every path's own policy, on a server with the settings of production: who walks it, and what it carries."""

import json
import os
import re
import subprocess
import sys

import httpx
import pytest
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from api.rooms import Heads
from chat import snapshots
from chat.models import ModerationAction, Sanction
from chatproject.server.http import BoundedRequest
from tests import services
from tests.cast import session_for
from tests.oauth import App
from tests.scenes import scene
from tests.services import ROOT

pytestmark = [pytest.mark.usefixtures("committed_db", "fresh_rules"), pytest.mark.own_server]
HOST = "chat.example.org"
PRODUCTION = {"SITE_URL": f"https://{HOST}", "METRICS_TOKEN": "secret"}
HSTS = "max-age=31536000; includeSubDomains; preload"
# What every answer carries, whoever asks and whatever comes of it.
ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
    "strict-transport-security": HSTS,
}
WITHOUT_TRUSTED_TYPES = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
}
PAGE = WITHOUT_TRUSTED_TYPES | {"require-trusted-types-for 'script'", "trusted-types message-html"}
CLOSED = {"default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"}
FILE = CLOSED | {"style-src 'unsafe-inline'"}
# By the beginning of the path; the first that fits counts.
POLICIES = [
    ("/api/v1/docs", WITHOUT_TRUSTED_TYPES),
    ("/api/", CLOSED),
    ("/healthz", CLOSED),
    ("/readyz", CLOSED),
    ("/metrics", CLOSED),
    ("/o/token/", CLOSED),
    ("/o/revoke/", CLOSED),
    ("/o/introspect/", CLOSED),
    ("/.well-known/", CLOSED),
    ("/static/", FILE),
    ("/admin/", WITHOUT_TRUSTED_TYPES),
    ("/", PAGE),
]
# Of staff's doors these give data to who may ask; everybody else is led to a page.
DATA_OF_STAFF = {
    "/admin/autocomplete/",
    "/admin/jsi18n/",
    "/admin/desk/news/",
    "/admin/chat/moderationaction/export.csv",
    "/admin/chat/moderationaction/export.jsonl",
}
# Routes for what is nowhere, and those to things of which staff of this test have none.
NOBODY_THERE = {
    ("accounts/", "applications/<int:number>/"),
    ("admin/", "(?P<url>.*)$"),
    ("admin/", "r/<path:content_type_id>/<path:object_id>/"),
    ("api/v1/", ""),
    ("api/v1/", "webhooks/<int:webhook_id>"),
    ("api/v1/", "webhooks/<int:webhook_id>/deliveries"),
}


@pytest.fixture(scope="module")
def site(django_db_setup, tmp_path_factory):
    """A server as it runs behind a proxy that speaks https."""
    running = services.serve(tmp_path_factory.mktemp("server") / "log", **PRODUCTION)
    yield running
    running.stop()


def browser(site, user=None):
    """``user`` at the proxy, or somebody without a name."""
    headers = {"Host": HOST, "X-Forwarded-Proto": "https"}
    if user is not None:
        headers["Cookie"] = f"__Host-session={session_for(user)}"
    return httpx.Client(base_url=site.url, headers=headers, timeout=20)


def policy_of(answer):
    return {part.strip() for part in answer.headers.get("content-security-policy", "").split(";")}


def faults(path, answer, policy):
    """What an answer lacks, or has too much of."""
    found = [
        f"{name}: {answer.headers.get(name)}"
        for name, value in ALWAYS.items()
        if answer.headers.get_list(name) != [value]
    ]
    if policy_of(answer) != policy:
        found.append(f"policy: {answer.headers.get('content-security-policy')}")
    if "server" in answer.headers:
        found.append("it names its software")
    for cookie in answer.headers.get_list("set-cookie"):
        flags = {part.strip() for part in cookie.split(";")[1:]}
        name = cookie.partition("=")[0]
        wanted = {"Secure", "SameSite=Lax", "Path=/"} | ({"HttpOnly"} if name != "__Host-csrf" else set())
        # Django's one-time messages are signed, so that another host of the domain cannot put words in them.
        has_prefix = name.startswith("__Host-") or name == "messages"
        if not has_prefix or not wanted <= flags or any("Domain" in flag for flag in flags):
            found.append(f"cookie: {cookie}")
    return [(path, answer.status_code, fault) for fault in found]


def expected_policy(path, answer):
    is_html = answer.headers["content-type"].startswith("text/html")
    if is_html and not answer.content:
        # Django's bare refusals of a method: nothing is there to load anything.
        assert answer.status_code in {301, 302, 401, 405}
        return WITHOUT_TRUSTED_TYPES if path.startswith("/admin/") else PAGE
    if path in DATA_OF_STAFF and not is_html:
        return CLOSED
    return next(policy for beginning, policy in POLICIES if path.startswith(beginning))


def routes(patterns, prefix=""):
    """Every route as it is written, with its beginning put before it."""
    for pattern in patterns:
        own = str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, prefix + own)
        elif isinstance(pattern, URLPattern):
            yield prefix, own


def values(around):
    """What the arguments of routes are called, and one of each that is there."""
    room = around.cast.room
    return {
        "room_id": room.pk,
        "slug": room.slug,
        "message_id": around.said.pk,
        "user_id": around.cast.bob.pk,
        "number": 1,
        "held_id": around.held.pk,
        "report_id": around.report.pk,
        "sanction_id": Sanction.objects.get(user=around.cast.carol).pk,
        "action_id": ModerationAction.objects.filter(room=room).latest("pk").pk,
        "webhook_id": 1,
        "delivery_id": 1,
        "id": around.cast.bob.pk,
        "content_type_id": 0,
        "app_label": "chat",
        "url": "nowhere/",
        "uidb36": "1",
        "key": "set-password",
    }


def concrete(prefix, own, known):
    """A path of this route that leads somewhere."""
    models = {f"{model._meta.app_label}/{model._meta.model_name}/": model for model in admin.site._registry}
    route = prefix + own

    def value(match):
        name = match[1]
        if name == "object_id":
            model = next((model for start, model in models.items() if f"admin/{start}" in prefix), None)
            row = model._default_manager.order_by("pk").last() if model else None
            return str(row.pk if row is not None else 1)
        return str(known[name])

    route = re.sub(r"<(?:\w+:)?(\w+)>", value, re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", r"<\1>", route))
    return "/" + route.replace("^", "").replace("$", "").replace("\\Z", "").replace("\\", "")


def test_every_route_has_its_own_policy_for_everybody(site, root):
    around = scene(root)
    known = values(around)
    found = {concrete(*route, known): route for route in routes(get_resolver().url_patterns)}
    assert len(found) > 180
    wrong, lost = [], set()
    for user in (None, root):
        with browser(site, user) as client:
            for path, route in found.items():
                answer = client.get(path)
                assert answer.status_code < 500, (path, answer.text)
                wrong += faults(path, answer, expected_policy(path, answer))
                if user is not None and answer.status_code == 404:
                    lost.add(route)
    assert wrong == []
    assert lost == NOBODY_THERE


def test_the_consent_page_lets_its_form_lead_to_the_application_alone(site, root):
    with browser(site, root) as client:
        answer = App().ask(client)
    assert answer.status_code == 200
    policy = PAGE - {"form-action 'self'"} | {"form-action 'self' https://client.example"}
    assert faults("/o/authorize/", answer, policy) == []


def test_static_files_are_closed(site):
    with browser(site) as client:
        page = client.get("/").text
        paths = re.findall(r'(?:href|src)="(/static/[^"]+\.(?:css|js|svg))"', page)
        assert {path.rpartition(".")[2] for path in paths} == {"css", "js", "svg"}
        for path in paths:
            answer = client.get(path)
            assert answer.status_code == 200
            assert faults(path, answer, FILE) == []


def test_streams_are_closed(site, root):
    room = scene(root).cast.room.pk
    with browser(site, root) as client:
        for query, status in ((f"room={room}", 200), ("room=x", 400)):
            with client.stream("GET", f"/api/v1/stream?{query}") as answer:
                assert answer.status_code == status
                assert faults(query, answer, CLOSED) == []


def test_refusals_carry_the_policy_of_what_they_are(site, root):
    with browser(site, root) as client:
        asked = [
            (400, PAGE, client.get("/", headers={"Host": "elsewhere.example"})),
            (403, PAGE, client.post("/accounts/logout/")),
            (404, PAGE, client.get("/rooms/nowhere/")),
            (404, PAGE, client.get("/nowhere")),
            (404, PAGE, client.get("/static/nowhere.js")),
            (405, PAGE, client.options("/")),
            (401, CLOSED, client.get("/api/v1/me", headers={"Authorization": "Bearer x.y.z"})),
            (404, CLOSED, client.get("/api/v1/rooms/0")),
            (403, CLOSED, client.post("/api/v1/rooms", json={"name": "x"})),
            (413, CLOSED, client.post("/", content=b"x" * 1_100_000)),
        ]
    for status, policy, answer in asked:
        assert answer.status_code == status, answer.request
        assert faults(str(answer.request.url), answer, policy) == []


def test_what_the_server_says_by_itself_is_closed():
    answers = []
    request = BoundedRequest.__new__(BoundedRequest)  # the connection has no part in it
    request.handle_reply = answers.append
    request.basic_error(500, b"Internal Server Error", "Exception inside application.")
    start, body = answers
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    assert start["status"] == 500 and json.loads(body["body"])["code"] == "internal"
    assert headers["content-type"] == "application/problem+json"
    assert {part.strip() for part in headers["content-security-policy"].split(";")} == CLOSED
    assert headers.items() >= (ALWAYS.items() - {("strict-transport-security", HSTS)})


def test_faults_of_ours_carry_the_policy_of_what_they_are(monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("on purpose")

    monkeypatch.setattr(snapshots, "room_list", fail)
    monkeypatch.setattr(Heads, "get", fail)
    client = Client(raise_request_exception=False)
    for path, policy in (("/", PAGE), ("/api/v1/rooms/heads?rooms=1", CLOSED)):
        answer = client.get(path)
        assert answer.status_code == 500
        assert {part.strip() for part in answer["Content-Security-Policy"].split(";")} == policy
        assert answer["Cross-Origin-Resource-Policy"] == "same-origin"


def test_cookies_are_bound_to_the_host_and_to_https(site):
    with browser(site) as client:
        page = client.get("/accounts/guest/")
        (given,) = page.headers.get_list("set-cookie")
        token = re.match(r"__Host-csrf=(\w+);", given)[1]
        headers = {"Cookie": f"__Host-csrf={token}", "Origin": f"https://{HOST}"}
        form = {"display_name": f"Noor {token[:12]}", "csrfmiddlewaretoken": token}
        done = client.post("/accounts/guest/", data=form, headers=headers)
    cookies = done.headers.get_list("set-cookie")
    assert done.status_code == 302
    assert sorted(cookie.partition("=")[0] for cookie in cookies) == ["__Host-csrf", "__Host-session"]
    assert faults("/accounts/guest/", done, PAGE) == []


def test_http_is_led_to_https_except_for_machines_that_watch(site):
    with httpx.Client(base_url=site.url, headers={"Host": HOST}) as client:
        for path in ("/", "/accounts/login/", "/api/v1/rooms", "/admin/"):
            answer = client.get(path)
            assert (answer.status_code, answer.headers["location"]) == (301, f"https://{HOST}{path}")
        statuses = [client.get(path).status_code for path in ("/healthz", "/readyz", "/metrics")]
    assert statuses == [200, 200, 401]


def test_djangos_own_checks_find_nothing_in_production():
    key = "0123456789abcdefghijklmnopqrstuvwxyz-" * 2
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "DEBUG"],
        cwd=ROOT,
        env={**os.environ, **PRODUCTION, "SECRET_KEY": key},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "no issues (0 silenced)" in done.stdout
