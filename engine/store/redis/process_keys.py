"""Redis keys of processes: leases, leaders, queues and metrics, in no partition."""


def workers() -> str:
    """Sorted set: worker id by the time in milliseconds at which its lease ends."""
    return "hr:workers"


def worker_variables() -> str:
    """Hash: worker id → names of manifests' variables that are set at the worker.

    The hash tag puts it into the slot of `workers`.
    """
    return f"hr:worker_variables:{{{workers()}}}"


def gateways() -> str:
    """Hash: channel of a gateway's notifier → `<renewed>:<ends>` of its lease, in milliseconds."""
    return "hr:gateways"


def leader() -> str:
    """String: worker id of the leading sweeper, with an expiry."""
    return "hr:leader"


def archiver() -> str:
    """String: worker id of the leading archiver, with an expiry."""
    return "hr:archiver"


def hints(queue: str) -> str:
    """List: hints of one queue; disposable."""
    return f"hr:hints:{queue}"


def messages(queue: str) -> str:
    """List: messages to an operator's own actors, of one queue; delivered at most once."""
    return f"hr:messages:{{{queue}}}"


def messages_due(queue: str) -> str:
    """Sorted set: message to an own actor by its due time in milliseconds."""
    return f"hr:messages_due:{{{queue}}}"


def metrics() -> str:
    """Hash: process id → snapshot of its metrics."""
    return "hr:metrics"


def metrics_folded(process: str) -> str:
    """String: number of a process's snapshot in the sum of ended processes."""
    return f"{{{metrics()}}}:folded:{process}"


def last_hour() -> str:
    """Hash: number of ten seconds within the hour → sample, and `totals` at the last sample."""
    return "hr:last_hour"
