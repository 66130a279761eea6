"""Eviction of caches at their bounds."""

import random

from engine.process.lru_cache import LruCache


def test_what_was_used_longest_ago_gives_way() -> None:
    cache: LruCache[str, int] = LruCache(2)
    cache.put("a", 1)
    cache.put("b", 2)
    assert cache.get("a") == 1

    cache.put("c", 3)

    assert {key: cache.get(key) for key in "abc"} == {"a": 1, "b": None, "c": 3}


def test_bytes_are_bounded_as_well() -> None:
    cache: LruCache[str, str] = LruCache(100, 10)
    for key in "abcd":
        cache.put(key, key, 4)

    assert ([key for key in "abcd" if key in cache], cache.bytes) == (["c", "d"], 8)


def test_the_last_one_is_kept_however_large_it_is() -> None:
    cache: LruCache[str, str] = LruCache(100, 10)
    cache.put("a", "", 4)
    cache.put("b", "", 50)

    assert ("a" in cache, "b" in cache, cache.bytes) == (False, True, 50)


def test_what_is_replaced_or_dropped_is_counted_no_more() -> None:
    cache: LruCache[str, int] = LruCache(100, 10)
    cache.put("a", 1, 4)
    cache.put("a", 2, 6)
    cache.put("b", 3, 3)
    cache.drop("b")
    cache.drop("never there")

    assert (cache.get("a"), len(cache), cache.bytes) == (2, 1, 6)


def test_it_never_passes_its_bounds() -> None:
    dice, cache = random.Random(3), LruCache[int, int](20, 500)
    kept: dict[int, int] = {}
    for number in range(5_000):
        key, size = dice.randrange(60), dice.randrange(80)
        cache.put(key, number, size)
        kept[key] = number
        found = cache.get(dice.randrange(60))

        assert found is None or found in kept.values()
        assert len(cache) <= 20
        assert cache.bytes <= 500
