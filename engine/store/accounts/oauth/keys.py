"""Redis keys of OAuth; clients and requests belong to no account, and have one slot together."""

from engine.store.redis.keyspace import partition_tag

TAG = "{hr:oauth}"


def clients() -> str:
    """Hash: id of a client → its record."""
    return f"hr:oauth_clients:{TAG}"


def ungranted() -> str:
    """Sorted set: client that nobody has granted anything, by the time in ms of its removal."""
    return f"hr:oauth_ungranted:{TAG}"


def granted() -> str:
    """Sorted set: client that was granted something, by the time in ms of its removal."""
    return f"hr:oauth_granted:{TAG}"


def registrations(address: str) -> str:
    """Sorted set: client by the time in ms at which the address registered it; expires."""
    return f"hr:oauth_registrations:{TAG}:{address}"


def requests() -> str:
    """Hash: digest of a request for a grant → its record, after a mark once it is answered."""
    return f"hr:oauth_requests:{TAG}"


def requests_by_end() -> str:
    """Sorted set: digest of a request for a grant by the time in ms of its end."""
    return f"hr:oauth_requests_by_end:{TAG}"


def openings(address: str) -> str:
    """Sorted set: request by the time in ms at which the address opened it; expires."""
    return f"hr:oauth_openings:{TAG}:{address}"


def code(partition: int, digest: str) -> str:
    """String: API key that the code became, its end in ms and its record, with an expiry."""
    return f"{partition_tag(partition)}:oauth_code:{digest}"
