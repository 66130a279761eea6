"""Owners of webhooks: API keys, and single runs and batches."""


def run_owner(execution_id: str) -> str:
    """Return the owner of the webhook of one run."""
    return f"run:{execution_id}"


def batch_owner(batch_id: str) -> str:
    """Return the owner of the webhook of one batch."""
    return f"batch:{batch_id}"


def is_counted(owner: str) -> bool:
    """Return whether the account's outbound calls count its deliveries: not those of a key."""
    return key_of(owner) is None


def key_of(owner: str) -> str | None:
    """Return the id of the API key that an owner is; None for a run or a batch."""
    return None if ":" in owner else owner
