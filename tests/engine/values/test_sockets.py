import itertools

import pytest

from engine.values.sockets import SocketType, is_compatible


@pytest.mark.parametrize("kind", SocketType)
def test_each_type_fits_itself_and_any_in_both_directions(kind: SocketType) -> None:
    assert is_compatible(kind, kind)
    assert is_compatible(kind, SocketType.ANY)
    assert is_compatible(SocketType.ANY, kind)


def test_two_different_types_do_not_fit() -> None:
    concrete = set(SocketType) - {SocketType.ANY}

    assert not any(is_compatible(a, b) for a, b in itertools.permutations(concrete, 2))
