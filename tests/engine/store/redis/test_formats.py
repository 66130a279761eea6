"""Formats of records."""

import pytest

from engine.errors import RecordTooNew
from engine.store.redis.formats import Format


@pytest.mark.parametrize("kind", Format)
def test_a_record_without_a_format_is_of_the_first_release(kind: Format) -> None:
    assert kind.knows({})
    assert kind.knows({"format": 1})
    assert kind.knows({"format": str(kind.known).encode()})
    assert kind.members == {"format": kind.known}
    kind.check(kind.members)


@pytest.mark.parametrize("kind", Format)
def test_a_later_format_is_refused_in_a_sentence(kind: Format) -> None:
    later = {"format": kind.known + 1}

    assert not kind.knows(later)
    with pytest.raises(RecordTooNew, match=f"This {kind.noun} was written by a newer version"):
        kind.check(later)
