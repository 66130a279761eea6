import pytest

from engine.access.sealing import Sealer, Unsealable, is_sealed
from engine.settings import SettingError, Settings

OLD, NEW = "o" * 32, "n" * 32
PLACE = ("webhook", "acc_1", "key_1")
SECRET = "a secret of the owner's own"


def test_what_is_sealed_shows_nothing_and_opens_again() -> None:
    sealer = Sealer.from_secret_key(NEW)

    kept = sealer.seal(SECRET, PLACE)

    assert is_sealed(kept)
    assert SECRET.encode() not in kept
    assert sealer.open(kept, PLACE) == SECRET


@pytest.mark.parametrize(
    "place", [("webhook", "acc_2", "key_1"), ("webhook", "acc_1", "key_2"), ("webhook",)]
)
def test_it_opens_nowhere_else(place: tuple[str, ...]) -> None:
    sealer = Sealer.from_secret_key(NEW)

    with pytest.raises(Unsealable):
        sealer.open(sealer.seal(SECRET, PLACE), place)


def test_the_same_secret_of_two_places_does_not_look_the_same() -> None:
    sealer = Sealer.from_secret_key(NEW)

    assert sealer.seal(SECRET, PLACE) == sealer.seal(SECRET, PLACE)
    assert sealer.seal(SECRET, PLACE) != sealer.seal(SECRET, ("webhook", "acc_1", "key_2"))


def test_the_first_key_seals_and_all_open() -> None:
    before = Sealer.from_secret_key(OLD).seal(SECRET, PLACE)
    both = Sealer.from_secret_key(f"{NEW}, {OLD}")

    assert both.open(before, PLACE) == SECRET
    assert both.seal(SECRET, PLACE) == Sealer.from_secret_key(NEW).seal(SECRET, PLACE)


def test_another_key_opens_nothing() -> None:
    with pytest.raises(Unsealable):
        Sealer.from_secret_key(NEW).open(Sealer.from_secret_key(OLD).seal(SECRET, PLACE), PLACE)


@pytest.mark.parametrize("at", [0, 10, -1])
def test_what_was_changed_does_not_open(at: int) -> None:
    kept = bytearray(Sealer.from_secret_key(NEW).seal(SECRET, PLACE)[1:])
    kept[at] ^= 1

    with pytest.raises(Unsealable):
        Sealer.from_secret_key(NEW).open(b"\x01" + bytes(kept), PLACE)


@pytest.mark.parametrize("key", ["", NEW])
def test_what_is_not_sealed_does_not_open(key: str) -> None:
    for stored in (SECRET.encode(), b""):
        with pytest.raises(Unsealable):
            Sealer.from_secret_key(key).open(stored, PLACE)


def test_without_a_key_nothing_is_sealed_and_the_setting_is_named() -> None:
    with pytest.raises(SettingError, match="HEADRACE_SECRET_KEY is not set"):
        Sealer.from_secret_key("").seal(SECRET, PLACE)


@pytest.mark.parametrize("keys", ["short", f"{NEW},short"])
def test_a_short_key_is_refused_without_being_shown(keys: str) -> None:
    with pytest.raises(SettingError, match="HEADRACE_SECRET_KEY: a key has") as refusal:
        Sealer.from_secret_key(keys)

    assert "short" not in str(refusal.value)


def test_settings_that_are_printed_do_not_show_the_key() -> None:
    assert NEW not in repr(Settings(secret_key=NEW))
