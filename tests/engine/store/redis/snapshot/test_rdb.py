from engine.store.redis.snapshot.rdb import RdbFacts, is_rdb, parse_facts

TIME = 1_796_040_551
VALKEY = (
    b"REDIS0011\xfa\nvalkey-ver\x059.1.2\xfa\nredis-bits\xc0@\xfa\x05ctime\xc2"
    + TIME.to_bytes(4, "little")
    + b"\xfa\x08used-mem\xc2\x00\x00\x00\x01\xfe\x00"
)


def test_the_facts_name_the_server_its_version_and_the_time() -> None:
    assert is_rdb(VALKEY)
    assert parse_facts(VALKEY) == RdbFacts("valkey", "9.1.2", TIME)
    redis = VALKEY.replace(b"\nvalkey-ver\x059.1.2", b"\tredis-ver\x058.0.2")
    assert parse_facts(redis) == RdbFacts("redis", "8.0.2", TIME)


def test_a_head_that_ends_early_gives_the_facts_that_it_has() -> None:
    for size in range(len(VALKEY)):
        facts = parse_facts(VALKEY[:size])
        assert facts.version in ("", "9.1.2")
        assert facts.taken_at in (0, TIME)


def test_other_bytes_are_no_file_of_redis() -> None:
    assert not is_rdb(b"<html>")
    assert parse_facts(b"<html>") == RdbFacts()
