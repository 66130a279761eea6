"""How a node says no: at save, about its settings, and at run time, about its work."""


class NodeFailed(Exception):
    """The node cannot give its outputs. `code` and `message` go on record and to the caller."""

    def __init__(self, code: str, message: str, *, retryable: bool = False) -> None:
        super().__init__(code, message, retryable)
        self.code = code
        self.message = message
        self.retryable = retryable

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[object, ...]:
        return _restore, (self.code, self.message, self.retryable)


def _restore(code: str, message: str, retryable: bool) -> NodeFailed:
    return NodeFailed(code, message, retryable=retryable)


class SettingsError(ValueError):
    """A node's `data` is not right; `reasons` are sentences for the author, all at once."""

    def __init__(self, *reasons: str) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons
