"""What a bell brings along when it has to wait for an earlier one."""

from chat.realtime.doorbell import MAX_COPIES_BYTES, _merged


def bell(seq, *copies, epoch="a"):
    return {"type": "event", "room": 1, "seq": seq, "epoch": epoch, "events": list(copies)}


def test_a_later_bell_brings_the_copies_of_the_one_it_replaces():
    assert _merged(bell(1, b"1"), bell(3, b"2", b"3")) == bell(3, b"1", b"2", b"3")


def test_copies_of_another_epoch_are_left_behind():
    assert _merged(bell(9, b"9", epoch="old"), bell(3, b"3")) == bell(3, b"3")


def test_too_many_copies_are_left_behind_and_the_bell_still_rings():
    half = b"x" * (MAX_COPIES_BYTES // 2 + 1)
    assert _merged({}, bell(1, half)) == bell(1, half)
    assert _merged({}, bell(1, half, half)) == bell(1)
    assert _merged(bell(1, half), bell(2, half)) == bell(2)


def test_a_bell_without_copies_stays_as_it_is():
    typing = {"type": "typing", "room": 1, "user": {"id": 7}}
    assert _merged({"type": "typing", "room": 1, "user": {"id": 7}}, typing) == typing
