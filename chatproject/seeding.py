"""What a new installation begins with. It wires accounts and chat, as urls and asgi do."""


def seed(admin_password: str) -> bool:
    """Makes the staff account ``admin`` and the public room ``lobby``; False when they were there."""
    from accounts.models import User
    from chat.actions.rooms import create_room
    from chat.models import GuestPolicy, Room

    made = False
    admin = User.objects.filter(username="admin").first()
    if admin is None:
        admin = User.objects.create_superuser("admin", "", admin_password)
        made = True
    if not Room.objects.filter(slug="lobby").exists():
        create_room(
            admin,
            name="Lobby",
            topic="Everyone is welcome here.",
            guest_policy=GuestPolicy.WRITE,
            slug="lobby",
        )
    return made
