"""How a node says no: at save, about its settings, and at run time, about its work."""

BAD_RESPONSE = "PROVIDER_BAD_RESPONSE"
"""The code where a model's answer is none, or not as it was asked for."""
STORAGE = "storage_error"
"""The code where media or large outputs cannot be stored or read."""


class NodeFailed(Exception):
    """The node cannot give its outputs. `code` and `message` go on record and to the caller.

    `retry_after` are the seconds that whoever refused asks for before the next attempt.
    `may_have_arrived`: the server may have read a call that brought no answer.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        retryable: bool = False,
        retry_after: float = 0.0,
        may_have_arrived: bool = False,
    ) -> None:
        super().__init__(code, message, retryable, retry_after)
        self.code = code
        self.message = message
        self.retryable = retryable
        self.retry_after = retry_after
        self.may_have_arrived = may_have_arrived

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[object, ...]:
        return _restore, (self.code, self.message, self.retryable, self.retry_after)


def _restore(code: str, message: str, retryable: bool, retry_after: float) -> NodeFailed:
    return NodeFailed(code, message, retryable=retryable, retry_after=retry_after)


class SiblingFailed(NodeFailed):
    """A call was left because another one of its node has failed; the next attempt goes on."""

    def __init__(self) -> None:
        message = "It was left when another call of its node had failed"
        super().__init__("left", message, retryable=True)

    def __reduce__(self) -> tuple[object, ...]:
        return SiblingFailed, ()


class SettingsError(ValueError):
    """A node's `data` is not right; `reasons` are sentences for the author, all at once."""

    def __init__(self, *reasons: str) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons
