"""Redis keys of tests of workflows."""

from engine.store.redis.keyspace import account_tag


def workflow_tests(account_id: str, slug: str) -> str:
    """Hash: tests of a workflow by name.

    `<name>.last` is the packed last result of a test. `.revision` is the number of writes that
    changed a test.
    """
    return f"{account_tag(account_id)}:workflow_tests:{account_id}:{slug}"
