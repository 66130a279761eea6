"""Redis keys of a provider, which serve all accounts and have a hash tag of their own."""


def _provider_tag(provider: str) -> str:
    return f"{{hrp:{provider}}}"


def provider_state(provider: str) -> str:
    """Hash: the governor's state of a provider: limits, pace, failures."""
    return f"{_provider_tag(provider)}:state"


def provider_calls(provider: str) -> str:
    """Hash: caller|call → account, tokens, number, time of permission, tokens reserved."""
    return f"{_provider_tag(provider)}:calls"


def provider_waiting(provider: str) -> str:
    """Sorted set: account|number|caller|call of the waiting calls, by name."""
    return f"{_provider_tag(provider)}:waiting"


def provider_shares(provider: str) -> str:
    """Sorted set: account by its used share of the provider."""
    return f"{_provider_tag(provider)}:shares"


def provider_running(provider: str) -> str:
    """Sorted set: caller|call of the running calls, by name."""
    return f"{_provider_tag(provider)}:running"


def provider_granted(provider: str) -> str:
    """Sorted set: caller|call of permitted calls that have not begun, by name."""
    return f"{_provider_tag(provider)}:granted"


def provider_callers(provider: str) -> str:
    """Sorted set: worker process by the time in milliseconds at which its lease ends."""
    return f"{_provider_tag(provider)}:callers"


def turns(process_id: str) -> str:
    """Channel: providers with permitted calls of a worker process; also names the process."""
    return f"hr:turns:{process_id}"
