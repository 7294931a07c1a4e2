"""The audit, private rooms, rooms, rights: what the desk records, and what it keeps to itself."""

import csv
import io
import json
import re
from dataclasses import replace

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import Group, Permission

from accounts.models import User
from chat import access, roles
from chat.actions.members import change_role
from chat.actions.rooms import RoomChanges, archive_room, update_room
from chat.actions.sanctions import sanction_person
from chat.admin import exporting
from chat.audit import Why
from chat.explaining import explain, may_assign_roles, may_manage
from chat.models import Membership, Message, ModerationAction, RoomKind
from chat.standing import site_rank
from tests.cast import cast, person
from tests.scenes import STAFF, browser_of, employ, last_action, page, press, scene, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fresh_rules")]
LOOKED = "room.looked_into"


# --- The audit -------------------------------------------------------------------------------------
def test_the_audit_is_filtered_by_who_what_where_whom_and_when(root):
    one, two = scene(root), scene(root)
    browser = browser_of(root)

    def ids(**query):
        shown = text(page(browser, "chat_moderationaction_changelist", **query))
        return set(map(int, re.findall(r"/admin/chat/moderationaction/(\d+)/change/", shown)))

    everything = set(ModerationAction.objects.values_list("pk", flat=True))
    own = ModerationAction.objects
    assert ids() == everything
    assert ids(actor=one.cast.alice.pk) == set(own.filter(actor=one.cast.alice).values_list("pk", flat=True))
    assert ids(kind="message.deleted") == set(own.filter(kind="message.deleted").values_list("pk", flat=True))
    assert ids(room=two.cast.room.pk) == set(own.filter(room=two.cast.room).values_list("pk", flat=True))
    assert ids(subject=one.cast.carol.pk) == set(
        own.filter(subject=one.cast.carol).values_list("pk", flat=True)
    )
    assert ids(since="2001-01-01", until="2001-12-31") == set()
    assert ids(since="2001-01-01") == everything
    assert ids(q=f"message:{one.gone.pk}") == {own.get(target=f"message:{one.gone.pk}").pk}


def test_an_action_is_shown_and_taken_back_once(root, moderator):
    around = scene(root)
    action = last_action("message.deleted")
    browser = browser_of(moderator)
    shown = text(page(browser, "chat_moderationaction_change", action.pk))
    assert "Removed a message" in shown and "Twice today" in shown and str(around.cast.alice) in shown
    press(browser, "chat_moderationaction_change", action.pk, text="It was fine")
    assert Message.objects.get(pk=around.gone.pk).deleted_at is None
    assert ModerationAction.objects.get(undoes=action).note.text == "It was fine"
    again = press(browser, "chat_moderationaction_change", action.pk)
    assert "taken back already" in text(again)
    assert "It was fine" not in text(page(browser, "chat_moderationaction_change", action.pk))


def test_an_undo_that_is_refused_says_why(root, moderator):
    around = scene(root)
    update_room(root, around.cast.room.pk, RoomChanges(topic="One"))
    changed = last_action("room.updated")
    refused = press(browser_of(moderator), "chat_moderationaction_change", changed.pk)
    assert "Someone above you has done this." in text(refused)
    update_room(root, around.cast.room.pk, RoomChanges(topic="Two"))
    assert "It has changed since." in text(
        press(browser_of(root), "chat_moderationaction_change", changed.pk)
    )


def exported(browser, form, **query):
    response = page(browser, f"audit_{form}", **query)
    assert response.status_code == 200

    async def whole():
        return b"".join([piece async for piece in response.streaming_content])

    return async_to_sync(whole)().decode()


def test_the_export_has_the_filtered_list_and_is_recorded(root, moderator):
    around = scene(root)
    browser = browser_of(moderator)
    chosen = {"kind": "message.deleted", "room": str(around.cast.room.pk)}
    rows = [json.loads(line) for line in exported(browser, "jsonl", **chosen).splitlines()]
    action = ModerationAction.objects.get(kind="message.deleted")
    assert [row["id"] for row in rows] == [action.pk]
    assert rows[0]["before"] == action.before and rows[0]["note"] == "Twice today"
    assert rows[0]["digest"] == bytes(action.digest).hex()
    record = last_action("audit.exported")
    assert (record.actor, record.after) == (moderator, {"format": "jsonl", "filters": chosen})
    everything = list(csv.DictReader(io.StringIO(exported(browser, "csv"))))
    assert len(everything) == ModerationAction.objects.count()


@pytest.mark.parametrize("word", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_of_the_export_is_a_formula(root, word):
    (cells,) = csv.reader(io.StringIO(exporting._cells([word, "plain", None, {"a": "=1"}]), newline=""))
    assert cells == [f"'{word}", "plain", "", '{"a": "=1"}']


def test_the_export_goes_in_pieces(root, monkeypatch):
    scene(root)
    monkeypatch.setattr(exporting, "ROWS_A_PIECE", 2)
    lines = exported(browser_of(root), "jsonl").splitlines()
    found = [json.loads(line)["id"] for line in lines]
    assert found == list(ModerationAction.objects.order_by("-id").values_list("pk", flat=True))


# --- Private rooms -----------------------------------------------------------------------------------
def doors_to(hidden):
    """Every page on which something of a room's messages could be seen."""
    room, bob = hidden.cast.room.pk, hidden.cast.bob.pk
    return [
        ("index", [], {}),
        ("chat_message_changelist", [], {}),
        ("chat_message_changelist", [], {"room": room}),
        ("chat_message_changelist", [], {"q": hidden.cast.bob.username}),
        ("chat_message_changelist", [], {"q": str(hidden.said.pk)}),
        ("chat_message_changelist", [], {"author": bob}),
        ("chat_message_change", [hidden.said.pk], {}),
        ("chat_report_changelist", [], {"state": "all"}),
        ("chat_report_change", [hidden.report.pk], {}),
        ("chat_heldmessage_changelist", [], {"state": "all"}),
        ("chat_heldmessage_change", [hidden.held.pk], {}),
        ("chat_automodhit_changelist", [], {}),
        ("chat_evidence_changelist", [], {}),
        ("chat_evidence_change", [hidden.report.evidence.pk], {}),
        ("chat_messagerevision_changelist", [], {}),
        ("chat_messagerevision_change", [hidden.said.revisions.get().pk], {}),
        ("chat_room_change", [room], {}),
        ("accounts_user_desk", [bob], {}),
        ("desk_rights", [], {"person": bob, "room": room}),
    ]


def test_what_is_said_in_private_rooms_is_shown_to_nobody_without_the_permission(root):
    hidden = scene(root, kind=RoomKind.PRIVATE, mark="sesame")
    hidden.cast.room.name = "Vault"
    hidden.cast.room.save(update_fields=["name"])
    for group in (roles.MODERATORS, roles.ROOM_MANAGERS, roles.SUPPORT):
        browser = browser_of(employ(group))
        for name, args, query in doors_to(hidden):
            shown = text(page(browser, name, *args, **query))
            assert "sesame" not in shown, (group, name, query)
            assert "Vault" not in shown, (group, name, query)
        asked = {"app_label": "chat", "model_name": "membership", "field_name": "room", "term": "Vault"}
        assert page(browser, "autocomplete", **asked).json()["results"] == []
        assert page(browser, "desk_news", queue="reports", after=0).json()["news"] == ""
        for row in (hidden.said, hidden.report, hidden.held):
            model = row._meta.model_name
            assert page(browser, f"chat_{model}_change", row.pk).status_code in {302, 403, 404}
    assert not ModerationAction.objects.filter(kind=LOOKED).exists()


def test_those_who_may_look_are_recorded_each_time(root):
    hidden = scene(root, kind=RoomKind.PRIVATE, mark="sesame")
    looker = employ(roles.MODERATORS)
    looker.user_permissions.add(Permission.objects.get(codename="view_private_rooms"))
    browser = browser_of(looker)
    room = hidden.cast.room.pk
    looks = {
        f"room:{room}": ("chat_message_changelist", [], {"room": room}),
        f"message:{hidden.said.pk}": ("chat_message_change", [hidden.said.pk], {}),
        f"report:{hidden.report.pk}": ("chat_report_change", [hidden.report.pk], {}),
        f"held:{hidden.held.pk}": ("chat_heldmessage_change", [hidden.held.pk], {}),
    }
    for target, (name, args, query) in looks.items():
        assert "sesame" in text(page(browser, name, *args, **query)), name
        action = last_action(LOOKED)
        assert (action.target, action.actor, action.room_id) == (target, looker, room)
    assert ModerationAction.objects.filter(kind=LOOKED).count() == len(looks)
    # Lists that are not of this room show none of its texts, whoever looks.
    for name in ("chat_message", "chat_report", "chat_heldmessage", "chat_evidence", "chat_messagerevision"):
        assert "sesame" not in text(
            page(browser, f"{name}_changelist", state="all" if "message" not in name else "")
        )
    assert "sesame" not in text(page(browser, "accounts_user_desk", hidden.cast.bob.pk))
    assert ModerationAction.objects.filter(kind=LOOKED).count() == len(looks)


# --- Rooms, roles, people ---------------------------------------------------------------------------
def test_a_rooms_settings_are_changed_by_actions(root):
    around = scene(root)
    manager = browser_of(employ(roles.ROOM_MANAGERS))
    room = around.cast.room
    form = {
        "name": "Renamed", "topic": "", "kind": "announcement", "guest_policy": "read",
        "slow_mode_seconds": 30, "hide_after_reports": 3, "archived": "on", "text": "By request",
    }  # fmt: skip
    press(manager, "chat_room_change", room.pk, **form)
    room.refresh_from_db()
    assert (room.name, room.kind, room.slow_mode_seconds, room.hide_after_reports) == (
        "Renamed",
        "announcement",
        30,
        3,
    )
    assert room.archived_at is not None
    assert last_action("room.updated").note.text == last_action("room.archived").note.text == "By request"
    bad = press(manager, "chat_room_change", room.pk, **{**form, "slow_mode_seconds": 999_999})
    assert bad.status_code == 200 and "errornote" in text(bad)
    press(browser_of(employ(roles.SUPPORT)), "chat_room_change", room.pk, **{**form, "name": "Nope"})
    room.refresh_from_db()
    assert room.name == "Renamed"


def test_roles_in_a_room_are_changed_by_the_action(root):
    around = scene(root)
    manager = browser_of(employ(roles.ROOM_MANAGERS))
    seat = Membership.objects.get(room=around.cast.room, user=around.cast.bob)
    press(manager, "chat_membership_change", seat.pk, role="moderator", text="Helps a lot")
    seat.refresh_from_db()
    assert seat.role == "moderator" and last_action("member.role_changed").note.text == "Helps a lot"
    owner = Membership.objects.get(room=around.cast.room, user=around.cast.olga)
    refused = press(manager, "chat_membership_change", owner.pk, role="member")
    assert "Make someone else an owner first." in text(refused)


def test_rights_are_given_by_those_who_hold_them(root):
    administrator, other = employ(roles.ADMINISTRATORS), employ()
    moderators = roles.MODERATORS
    form = {"is_staff": "on", "groups": [Group.objects.get(name=moderators).pk]}
    press(browser_of(administrator), "accounts_user_change", other.pk, **form)
    assert [group.name for group in other.groups.all()] == [moderators]
    assert last_action("rights.changed").actor == administrator
    press(browser_of(administrator), "accounts_user_change", other.pk, is_staff="on", is_superuser="on")
    other.refresh_from_db()
    assert not other.is_superuser
    limited = employ()
    limited.user_permissions.set(
        Permission.objects.filter(codename__in=["view_user", "change_user", "grant_rights"])
    )
    refused = press(browser_of(limited), "accounts_user_change", other.pk, **form)
    assert "You cannot give or take what you do not hold yourself" in text(refused)
    switched = press(
        browser_of(administrator), "accounts_user_changelist",
        action="deactivate_people", _selected_action=[other.pk], confirmed="1", text="Left us",
    )  # fmt: skip
    assert switched.status_code == 200
    other.refresh_from_db()
    assert not other.is_active and last_action("account.switched").note.text == "Left us"


# --- What may they do, and why -----------------------------------------------------------------------
def decided(user, room):
    """What ``access`` decides."""
    standing = access.standing_in(room, user)
    reader = access.readers_among(room.pk, [user.pk]).get(user.pk)
    if reader is None:  # not let in at all
        return dict.fromkeys(("read", "write", "moderate", "sanction", "manage", "assign_roles"), False)
    return {
        "read": isinstance(reader, bool),
        "write": reader is True,
        "moderate": access.may_moderate_messages(standing),
        "sanction": access.may_sanction(standing),
        "manage": may_manage(standing),
        "assign_roles": may_assign_roles(standing),
    }


def rooms_of(around):
    yield "as made"
    olga, room = around.olga, around.room.pk
    sanction_person(olga, around.bob.pk, kind="ban", room_id=room)
    yield "one banned"
    update_room(olga, room, RoomChanges(kind="announcement", guest_policy="read"))
    yield "announcements"
    update_room(olga, room, RoomChanges(kind="public", guest_policy="approval"))
    yield "approval"
    update_room(olga, room, RoomChanges(guest_policy="none"))
    yield "no guests"
    update_room(olga, room, RoomChanges(kind="private"))
    yield "private"
    archive_room(olga, room)
    yield "archived"


@pytest.mark.parametrize("kind", ["public", "private"])
def test_the_explanation_is_what_access_decides(root, kind):
    around = cast(kind=kind)
    people = [around.olga, around.alice, around.bob, around.carol, around.dave, around.gil, root]
    people += [employ(group) for group in STAFF.values()]
    banned, off = person("banned"), person("off")
    sanction_person(root, banned.pk, kind="ban", why=Why("spam", "Enough"))
    User.objects.filter(pk=off.pk).update(is_active=False)
    staying = employ(roles.MODERATORS)
    Membership.objects.create(room=around.room, user=staying)
    people += [banned, off, staying]
    assert site_rank(root) == 4
    for state in rooms_of(around):
        around.room.refresh_from_db()
        for user in User.objects.filter(pk__in=[user.pk for user in people]):
            answers = explain(user, around.room)
            assert {answer.right: answer.may for answer in answers} == decided(user, around.room), (
                state,
                user,
            )
            assert all(answer.why.strip() for answer in answers)


def why_of(user, room, right):
    return next(answer.why for answer in explain(user, room) if answer.right == right)


def test_the_reason_names_what_decides(root):
    around = cast()
    room = around.room
    assert why_of(around.carol, room, "write").startswith("Muted here for ever")
    assert why_of(around.alice, room, "moderate") == "They are a moderator here."
    assert why_of(around.olga, room, "manage") == "They are an owner here."
    assert (
        why_of(employ(roles.MODERATORS), room, "moderate")
        == "Staff, group “Moderators”: “chat.moderate_messages”."
    )
    assert why_of(root, room, "manage") == "Superuser: holds every permission."
    assert "They do not belong to the room, and they are not staff" in why_of(around.dave, room, "sanction")
    update_room(around.olga, room.pk, RoomChanges(kind="private"))
    room.refresh_from_db()
    assert why_of(around.dave, room, "read") == "The room is private, and they do not belong to it."
    assert "view_private_rooms" in why_of(employ(roles.MODERATORS), room, "moderate")


def test_the_rights_page_answers_for_a_person_and_a_room(root):
    around = cast()
    asked = {"person": around.carol.pk, "room": around.room.pk}
    shown = text(page(browser_of(employ(roles.SUPPORT)), "desk_rights", **asked))
    assert "Muted here for ever" in shown
    assert shown.count("data-right=") == 6
    assert replace(explain(around.carol, around.room)[1], why="").may is False
    change_role(around.olga, around.room.pk, around.carol.pk, role="moderator")
    assert "They are a moderator here." in text(page(browser_of(root), "desk_rights", **asked))
