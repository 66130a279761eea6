"""Redis keys and fields of aliases and their canaries."""

from engine.store.redis.keyspace import account_tag

ALIASES = "aliases"
"""Field of a workflow's record: the map of its aliases, as `engine/releases/aliases.py` has it."""
ALIASES_REVISION = "aliases_revision"
"""Field of a workflow's record: number that grows with each change of the map."""
ALIAS = "alias"
"""Field of an execution's record: alias that the run named, or that had a canary."""
RELEASE = "release"
"""Field of an execution's record: its alias' canary and its side, see `Choice.release`."""


def alias_history(account_id: str, slug: str) -> str:
    """Hash: history of the aliases of a workflow.

    `<name>.<number>` is an entry as JSON, `<name>.last` the number of the newest one, and `bytes`
    the size of all entries, which counts among the account's documents.
    """
    return f"{account_tag(account_id)}:alias_history:{account_id}:{slug}"


def canary_counts(account_id: str, slug: str) -> str:
    """Hash: counts of the runs of a workflow's canaries and beside them.

    The names of the fields begin with the id of the canary and the side, `c` or `l`.
    """
    return f"{account_tag(account_id)}:canary_counts:{account_id}:{slug}"
