"""Whose word stands above whose."""

import uuid

import pytest
from django.contrib.auth.models import Permission

from accounts.models import User
from chat.actions.accounts import switch_account
from chat.actions.members import add_member, change_role
from chat.actions.messages import delete_message, restore_message
from chat.actions.posting import post_message
from chat.actions.sanctions import sanction_person
from chatproject.errors import AppError, Code
from tests.cast import cast, person

pytestmark = pytest.mark.django_db


def staff(*codenames):
    user = person("staff")
    User.objects.filter(pk=user.pk).update(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return User.objects.get(pk=user.pk)


def refused(work):
    with pytest.raises(AppError) as error:
        work()
    return error.value.code


def test_staff_who_moderate_a_room_by_their_role_stand_below_its_owner():
    people, helper = cast(), staff()
    add_member(people.olga, people.room.pk, display_name=helper.display_name)
    change_role(people.olga, people.room.pk, helper.pk, role="moderator")

    def mute(actor, whom):
        return sanction_person(actor, whom.pk, kind="mute", room_id=people.room.pk)

    assert refused(lambda: mute(helper, people.olga)) is Code.FORBIDDEN
    assert mute(helper, people.bob)
    assert refused(lambda: mute(people.olga, helper)) is Code.FORBIDDEN
    assert mute(staff("sanction_users"), people.olga)


def test_a_moderator_does_not_bring_back_what_another_took_from_them():
    people = cast()
    said = post_message(people.alice, people.room.pk, client_id=uuid.uuid4(), body="hm").message_id
    delete_message(people.olga, said)
    assert refused(lambda: restore_message(people.alice, said)) is Code.FORBIDDEN
    assert restore_message(people.olga, said)
    delete_message(people.alice, said)
    assert restore_message(people.alice, said)


def test_staff_are_switched_off_by_those_who_give_their_rights():
    other, plain = staff("moderate_messages"), person("bob")
    helper, giver = staff("change_user"), staff("change_user", "grant_rights")
    person("root")
    User.objects.filter(pk=person("root").pk).update(is_staff=True, is_superuser=True)
    assert refused(lambda: switch_account(helper, other.pk, active=False)) is Code.FORBIDDEN
    switch_account(helper, plain.pk, active=False)
    switch_account(giver, other.pk, active=False)
    assert not User.objects.get(pk=other.pk).is_active
