"""Reading over REST without asking twice: tags, heads of many rooms, earlier texts, people."""

import uuid

import pytest

from chat.actions.messages import delete_message, edit_message
from chat.actions.posting import post_message
from tests.cast import cast
from tests.rest import Caller, refused

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture
def people(committed_db):
    return cast()


def say(people, body="hello"):
    return post_message(people.bob, people.room.pk, client_id=uuid.uuid4(), body=body).message_id


def test_what_the_client_has_is_not_sent_again(people):
    caller, path = Caller(people.bob), f"rooms/{people.room.pk}"
    first = caller.get(path)
    tag = first["ETag"]
    same = caller.ask("GET", path, HTTP_IF_NONE_MATCH=tag)
    assert (same.status_code, same.content, same["ETag"]) == (304, b"", tag)
    say(people)
    changed = caller.ask("GET", path, HTTP_IF_NONE_MATCH=f'"other", W/{tag}')
    assert changed.status_code == 200 and changed["ETag"] != tag


def test_a_change_on_a_condition_is_refused_when_it_has_changed_since(people):
    message = say(people)
    caller, path = Caller(people.bob), f"messages/{message}"
    tag = caller.get(path)["ETag"]
    edit_message(people.bob, message, body="changed meanwhile")
    late = refused(caller.ask("PATCH", path, {"body": "late"}, HTTP_IF_MATCH=tag), 412, "conflict")
    assert "changed" in late["detail"]
    assert refused(caller.ask("DELETE", path, HTTP_IF_MATCH=tag), 412, "conflict")
    assert caller.get(path).json()["body"] == "changed meanwhile"
    fresh = caller.get(path)["ETag"]
    assert caller.ask("PATCH", path, {"body": "in time"}, HTTP_IF_MATCH=fresh).json()["body"] == "in time"
    assert caller.ask("PATCH", path, {"body": "whatever"}, HTTP_IF_MATCH="*").status_code == 200


def test_the_heads_of_many_rooms_come_in_one_answer_and_tell_of_no_other(people):
    other, hidden = cast(), cast(kind="private")
    say(people)
    people.room.refresh_from_db()
    ids = [people.room.pk, other.room.pk, hidden.room.pk, 9_000_000_000]
    answer = Caller(people.bob).get(f"rooms/heads?rooms={','.join(map(str, ids))}").json()
    assert answer["heads"] == {
        str(people.room.pk): people.room.last_seq,
        str(other.room.pk): other.room.last_seq,
    }
    assert answer["epoch"]
    for bad in ("", "x", "1,,2", "-1", ",".join(["1"] * 101), "9" * 19):
        refused(Caller(people.bob).get(f"rooms/heads?rooms={bad}"), 400, "invalid", "rooms")


def test_earlier_texts_are_for_the_author_and_the_moderators(people):
    message = say(people, "one")
    edit_message(people.bob, message, body="two")
    edit_message(people.bob, message, body="three")
    path = f"messages/{message}/revisions"
    for user in (people.bob, people.alice, people.olga):
        texts = [row["body"] for row in Caller(user).get(path).json()["results"]]
        assert texts == ["one", "two", "three"]
    delete_message(people.alice, message)
    refused(Caller(people.bob).get(path), 403, "forbidden")
    assert len(Caller(people.alice).get(path).json()["results"]) == 3


def test_people_are_shown_to_people(people):
    shown = Caller(people.gil).get(f"users/{people.bob.pk}").json()
    assert shown == {"id": people.bob.pk, "display_name": people.bob.display_name, "is_guest": False}
    refused(Caller(people.gil).get("users/9000000000"), 404, "not_found")
