"""A client of REST, as tests play it."""

import itertools
import json

from django.test import Client
from django.test.client import ClientHandler

from accounts.tokens import issue_pair
from tests.contract import check_response

addresses = (f"10.77.{number // 250}.{number % 250 + 1}" for number in itertools.count())
# One for all: making its middleware, WhiteNoise above all, takes longer than most requests.
_handler = ClientHandler(enforce_csrf_checks=False)


class Caller:
    """Somebody at an address of their own, with a bearer token when they have a name.

    Whatever comes back is held against the contract.
    """

    def __init__(self, user=None, **options):
        extra = {"HTTP_AUTHORIZATION": f"Bearer {issue_pair(user).access}"} if user else {}
        self.user = user
        self.client = Client(REMOTE_ADDR=next(addresses), **extra, **options)
        if not options:
            self.client.handler = _handler

    def ask(self, method, path, body=None, **headers):
        data = body if isinstance(body, str | bytes) else "" if body is None else json.dumps(body)
        answer = self.client.generic(method, f"/api/v1/{path}", data, "application/json", **headers)
        check_response(
            method,
            f"/api/v1/{path.partition('?')[0]}",
            answer.status_code,
            answer.get("Content-Type", ""),
            answer.content,
        )
        return answer

    def get(self, path):
        return self.ask("GET", path)


def refused(response, status, code, field=None):
    """Asserts a refusal in full; its body."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert (problem["type"], problem["status"], problem["code"]) == ("about:blank", status, code)
    assert problem["title"] and problem["detail"]
    if field:
        assert field in problem["fields"]
    return problem
