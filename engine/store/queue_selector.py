"""Which accounts have much under way, as far as this process has heard."""

from engine.store.hints import BULK_QUEUE, WALK_QUEUE

BULK_FROM = 64
"""An account with more executions under way lets those of others go first."""
MAX_KNOWN = 10_000


class QueueSelector:
    """Chooses the queue of an account's next hint before it is known what is under way by now."""

    def __init__(self) -> None:
        self._heard: dict[str, int] = {}
        self._asked: dict[str, int] = {}
        self._refused: set[str] = set()

    def select(self, account_id: str) -> str:
        """An execution is asked for; the queue for its hint. `answer` must follow."""
        asked = self._asked.get(account_id, 0) + 1
        self._asked[account_id] = asked
        # Many may be asked for at once, before the first reply tells how many there are.
        has_much = max(asked, self._heard.get(account_id, 0)) > BULK_FROM
        return BULK_QUEUE if has_much else WALK_QUEUE

    def was_refused(self, account_id: str) -> bool:
        """Whether the last execution that the account asked for was not accepted."""
        return account_id in self._refused

    def record(self, account_id: str, active: int | None) -> None:
        """The reply has come, or failed (None): what the account has under way."""
        left = self._asked.pop(account_id) - 1
        if left:
            self._asked[account_id] = left
        if active is None:
            if len(self._refused) > MAX_KNOWN:
                self._refused.clear()
            self._refused.add(account_id)
        else:
            self._refused.discard(account_id)
            if len(self._heard) > MAX_KNOWN:
                self._heard.clear()
            self._heard[account_id] = active
