"""Effective calls of the scripts of OAuth."""

from tests.support.store.scenario import NOW, scenario

OAUTH_SCENARIOS = {
    "add_oauth_record": scenario(
        ("HSET", "records", "old", b"old", "oldest", b"oldest"),
        ("ZADD", "by_end", NOW - 1, "old", NOW - 2, "oldest"),
        ("ZADD", "window", NOW - 60_000, "old"),
        id="client",
        record=b"record",
        keep_ms=60_000,
        most=1,
        window_ms=60_000,
        most_in_window=1,
        all_ms=60_000,
    ),
    "answer_grant_request": scenario(
        ("HSET", "requests", "digest", b"record"),
        ("ZADD", "requests_by_end", NOW + 1, "digest"),
        ("HSET", "clients", "client", b"record", "other", b"other"),
        ("ZADD", "ungranted", NOW + 1, "client"),
        ("ZADD", "granted", NOW - 1, "other"),
        request="digest",
        answer="answer",
        client="client",
        keep_ms=60_000,
        most=9,
    ),
    "redeem_grant_code": scenario(
        ("SET", "code", f"{NOW + 1}|record", "PX", 60_000),
        ("HSET", "accounts", "acc", "record"),
        account="acc",
        api_key="key_1",
        digest="digest",
        record=b"acc|record",
    ),
}
