"""Rights of staff: the groups, who gives what to whom, and the administrator who stays."""

import uuid
from dataclasses import replace

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db import IntegrityError, transaction

from accounts.models import User
from chat import access
from chat.actions import rights, sanctions
from chat.actions.accounts import switch_account
from chat.actions.rights import Rights, change_rights, rights_of
from chat.actions.undo import undo_action
from chat.models import ModerationAction
from chat.roles import ADMINISTRATORS, MODERATORS, ROOM_MANAGERS, SUPPORT
from chatproject.errors import Code
from tests.cast import person
from tests.desk import Desk, answers, at_once, code_of, desk, fresh, last_action, refused, staff, told

pytestmark = pytest.mark.usefixtures("committed_db")
NOTHING = Rights(False, False, frozenset(), frozenset())
BARE = replace(NOTHING, is_staff=True)
PASSED = "chat.moderate_messages"


@pytest.fixture
def people(committed_db) -> Desk:
    return desk()


def administrator(name="ada"):
    user = staff(name)
    user.groups.add(Group.objects.get(name=ADMINISTRATORS))
    return fresh(user)


@pytest.fixture
def alone(committed_db):
    """Two administrators, and nobody else is one: others' are put back afterwards."""
    others = User.objects.filter(is_staff=True, is_active=True)
    kept = list(others.values_list("pk", flat=True))
    others.update(is_active=False)
    yield administrator("ada"), administrator("ann")
    User.objects.filter(pk__in=kept).update(is_active=True)
    made = User.objects.filter(groups__name=ADMINISTRATORS).exclude(pk__in=kept)
    made.update(is_staff=False)


# --- groups ----------------------------------------------------------------------------------------------


def held_by(group):
    found = Permission.objects.filter(group__name=group).values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in found}


SPECIAL = {
    access.MODERATE,
    access.SANCTION,
    access.MANAGE,
    access.ASSIGN_ROLES,
    access.VIEW_PRIVATE,
    access.HANDLE_REPORTS,
    access.AUTOMOD,
    access.AUDIT,
    access.CHANGE_PEOPLE,
    access.GRANT,
}


@pytest.mark.parametrize(
    ("group", "special"),
    [
        (ADMINISTRATORS, SPECIAL),
        (MODERATORS, {access.MODERATE, access.SANCTION, access.HANDLE_REPORTS, access.AUDIT}),
        (ROOM_MANAGERS, {access.MANAGE, access.ASSIGN_ROLES}),
        (SUPPORT, set()),
    ],
)
def test_after_migrate_there_are_groups_that_hold_what_they_need_and_no_more(committed_db, group, special):
    held = held_by(group)
    assert held & SPECIAL == special
    assert "chat.view_room" in held
    if group != ADMINISTRATORS:
        others = {name for name in held - special if not name.partition(".")[2].startswith("view_")}
        assert others == set()
        assert access.VIEW_PRIVATE not in held
    else:
        apps = Permission.objects.filter(content_type__app_label__in=["accounts", "chat", "auth"])
        assert len(held) == apps.count()


def test_the_next_migrate_keeps_what_was_changed_but_administrators_hold_everything(committed_db):
    support, administrators = (Group.objects.get(name=name) for name in (SUPPORT, ADMINISTRATORS))
    before, whole = held_by(SUPPORT), held_by(ADMINISTRATORS)
    view_user = Permission.objects.get(codename="view_user")
    with transaction.atomic():
        support.permissions.remove(view_user)
        administrators.permissions.clear()
        Group.objects.get(name=ROOM_MANAGERS).delete()
        call_command("migrate", verbosity=0)
        assert held_by(SUPPORT) == before - {"accounts.view_user"}
        assert held_by(ADMINISTRATORS) == whole
        assert held_by(ROOM_MANAGERS) >= {access.MANAGE}
        transaction.set_rollback(True)


# --- giving and taking -----------------------------------------------------------------------------------


def test_only_staff_with_the_permission_changes_rights(people):
    found = answers(people, lambda user: change_rights(user, people.dave.pk, BARE))
    assert found == told(ok="maude", forbidden="bob carol alice mona olga stan gil dave")


def test_nobody_gives_or_takes_what_they_do_not_hold(people):
    giver = staff("gwen", access.GRANT, PASSED)
    bob, mod, admin = people.bob, staff("mod", PASSED, access.AUDIT), administrator()
    for target, wanted, code in (
        (bob, replace(BARE, permissions=frozenset({PASSED})), None),
        (bob, replace(BARE, permissions=frozenset({access.GRANT, PASSED})), None),
        (bob, replace(BARE, permissions=frozenset({access.SANCTION})), "forbidden"),
        (bob, replace(BARE, groups=frozenset({MODERATORS})), "forbidden"),
        (bob, replace(BARE, groups=frozenset({ADMINISTRATORS})), "forbidden"),
        (bob, replace(BARE, is_superuser=True), "forbidden"),
        (mod, replace(rights_of(mod), permissions=frozenset({access.AUDIT})), None),
        (mod, replace(rights_of(mod), permissions=frozenset({PASSED})), "forbidden"),
        # Off the staff at all, everything they hold counts no more.
        (mod, replace(rights_of(mod), is_staff=False), "forbidden"),
        (admin, replace(rights_of(admin), groups=frozenset()), "forbidden"),
        (admin, replace(rights_of(admin), is_staff=False), "forbidden"),
        (giver, replace(rights_of(giver), permissions=frozenset({access.GRANT, access.AUDIT})), "forbidden"),
    ):
        before = rights_of(target)
        with transaction.atomic():
            if code is None:
                change_rights(giver, target.pk, wanted)
                assert rights_of(fresh(target)) == wanted
            else:
                assert code_of(change_rights, giver, target.pk, wanted) == code, (target, wanted)
                assert rights_of(fresh(target)) == before
            transaction.set_rollback(True)


def test_someone_who_is_no_staff_yet_holds_nothing_that_is_not_given_knowingly(people):
    """What lies asleep on an account begins to count with is_staff, so it is given with it."""
    people.bob.user_permissions.set([Permission.objects.get(codename="sanction_users")])
    giver = staff("gwen", access.GRANT, PASSED)
    wanted = replace(rights_of(people.bob), is_staff=True)
    assert code_of(change_rights, giver, people.bob.pk, wanted) == Code.FORBIDDEN
    change_rights(people.maude, people.bob.pk, wanted)
    assert fresh(people.bob).has_perm(access.SANCTION)


def test_superusers_are_made_changed_and_unmade_by_superusers_only(people):
    root, other, admin = staff("root", superuser=True), staff("rosa", superuser=True), administrator()
    for wanted in (replace(BARE, is_superuser=True, permissions=frozenset({PASSED})), BARE, NOTHING):
        assert code_of(change_rights, admin, other.pk, wanted) == Code.FORBIDDEN
        change_rights(root, other.pk, wanted)
        assert rights_of(fresh(other)) == wanted
        change_rights(root, other.pk, replace(BARE, is_superuser=True))
    assert code_of(change_rights, admin, people.bob.pk, replace(BARE, is_superuser=True)) == Code.FORBIDDEN
    assert code_of(switch_account, admin, other.pk, active=False) == Code.FORBIDDEN


@pytest.mark.parametrize("wanted", [BARE, replace(NOTHING, permissions=frozenset({PASSED}))])
def test_guests_are_never_staff(people, wanted):
    assert code_of(change_rights, people.maude, people.gil.pk, wanted) == Code.INVALID
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=people.gil.pk).update(is_staff=True)


def test_what_does_not_exist_is_not_given(people):
    before = rights_of(people.bob)
    for wanted in (
        replace(BARE, groups=frozenset({"Unheard of"})),
        replace(BARE, permissions=frozenset({"chat.unheard_of"})),
        replace(BARE, permissions=frozenset({"nonsense"})),
    ):
        assert refused(change_rights, staff("root", superuser=True), people.bob.pk, wanted).code in {
            Code.INVALID
        }
    assert code_of(change_rights, people.maude, 2**40, BARE) == Code.NOT_FOUND
    assert rights_of(fresh(people.bob)) == before


def test_the_record_says_what_is_held_and_is_taken_back_only_by_who_may_do_it(people):
    wanted = Rights(True, False, frozenset({SUPPORT}), frozenset({PASSED}))
    change_rights(administrator(), people.bob.pk, wanted)
    action = last_action()
    assert (action.before, action.after) == (NOTHING.plain(), wanted.plain())
    giver = staff("gwen", access.GRANT)
    assert code_of(undo_action, giver, action.pk) == Code.FORBIDDEN
    undo_action(administrator(), action.pk)
    assert rights_of(fresh(people.bob)) == NOTHING


def test_what_changes_nothing_is_not_recorded(people):
    before = ModerationAction.objects.count()
    change_rights(people.maude, people.stan.pk, BARE)
    assert ModerationAction.objects.count() == before


def test_rights_that_were_taken_are_gone_with_the_next_request(people):
    root = staff("root", superuser=True)
    change_rights(root, people.maude.pk, BARE)
    assert code_of(change_rights, fresh(people.maude), people.dave.pk, BARE) == Code.FORBIDDEN
    act = sanctions.sanction_person
    assert code_of(act, people.maude, people.bob.pk, kind="mute", room_id=people.room.pk) == Code.FORBIDDEN


# --- the last administrator ------------------------------------------------------------------------------


def steps_down(user):
    change_rights(user, user.pk, replace(rights_of(user), groups=frozenset()))


def test_the_last_administrator_stays_whatever_is_tried(alone):
    ada, ann = alone
    root = staff("root", superuser=True)
    steps_down(ann)
    # A superuser gives rights too: while there is one, ada may go, and then the superuser may not.
    User.objects.filter(pk=root.pk).update(is_active=False)
    assert code_of(steps_down, ada) == Code.CONFLICT
    assert code_of(change_rights, ada, ada.pk, replace(rights_of(ada), is_staff=False)) == Code.CONFLICT
    assert code_of(switch_account, ada, ada.pk, active=False) == Code.CONFLICT
    assert fresh(ada).is_active and rights_of(ada).groups == {ADMINISTRATORS}
    User.objects.filter(pk=root.pk).update(is_active=True)
    steps_down(ada)
    assert code_of(switch_account, root, root.pk, active=False) == Code.CONFLICT
    assert code_of(change_rights, root, root.pk, NOTHING) == Code.CONFLICT
    User.objects.filter(pk=root.pk).update(is_active=False)


def test_of_two_administrators_who_step_down_at_once_one_stays(alone):
    ada, ann = alone
    assert sorted(at_once(lambda: steps_down(ada), lambda: steps_down(ann))) == ["conflict", "ok"]


def test_of_two_who_switch_each_other_off_at_once_one_stays(alone):
    ada, ann = alone
    acts = [
        lambda: switch_account(ada, ann.pk, active=False),
        lambda: switch_account(ann, ada.pk, active=False),
    ]
    ends = at_once(*acts)
    assert ends.count("ok") == 1 and set(ends) <= {"ok", "conflict", "forbidden", "unauthenticated"}
    assert User.objects.filter(pk__in=[ada.pk, ann.pk], is_active=True).count() == 1


def test_administrators_who_make_others_administrators_at_once_do_not_wait_for_each_other(alone):
    newcomers = [person(f"new{number}") for number in range(4)]
    wanted = replace(BARE, groups=frozenset({ADMINISTRATORS}))
    root = staff("root", superuser=True)
    acts = [lambda user=user: change_rights(root, user.pk, wanted) for user in newcomers]
    acts += [lambda user=user: steps_down(user) for user in alone]
    assert at_once(*acts) == ["ok"] * 6


@pytest.mark.parametrize("kind", ["kick", "ban"])
def test_a_site_ban_of_one_and_the_stepping_down_of_the_other_leave_one(alone, kind):
    ada, ann = alone
    root = staff("root", superuser=True)
    change_rights(root, ann.pk, NOTHING)
    acts = [
        lambda: sanctions.sanction_person(root, ada.pk, kind=kind),
        lambda: change_rights(root, root.pk, NOTHING),
    ]
    ends = at_once(*acts)
    assert ends.count("ok") == 1 and set(ends) <= {"ok", "conflict", "forbidden"}, ends
    assert rights.User.objects.filter(pk__in=[ada.pk, root.pk], is_staff=True).exists()
    User.objects.filter(pk=root.pk).update(is_active=False)


def test_who_is_banned_counts_no_more_as_the_administrator_who_remains(alone):
    ada, ann = alone
    root = staff("root", superuser=True)
    sanctions.sanction_person(root, ann.pk, kind="ban")
    User.objects.filter(pk=root.pk).update(is_active=False)
    assert code_of(steps_down, ada) == Code.CONFLICT


def test_where_there_is_no_administrator_accounts_are_still_switched_off_and_rights_given(alone):
    """As on a site whose first staff was made by a command, with less than everything."""
    User.objects.filter(pk__in=[user.pk for user in alone]).update(is_active=False)
    giver = staff("gwen", access.GRANT, access.CHANGE_PEOPLE, PASSED)
    someone = person(f"bob{uuid.uuid4().hex[:4]}")
    change_rights(giver, someone.pk, replace(BARE, permissions=frozenset({PASSED})))
    switch_account(giver, someone.pk, active=False)
    assert not fresh(someone).is_active
