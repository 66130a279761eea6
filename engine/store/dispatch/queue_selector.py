"""Selection of queues by the known number of active executions of an account."""

from engine.store.dispatch.hints import BULK_QUEUE, WALK_QUEUE

BULK_FROM = 64
"""Active executions above which an account's hints go to the bulk queue."""
MAX_KNOWN = 10_000
REFUSED_UNTIL = 16
"""Acceptances in a row after which an account is not expected to be refused any more."""


class QueueSelector:
    """Chooses the queue of an account's hint before the reply with its active executions."""

    def __init__(self) -> None:
        self._heard: dict[str, int] = {}
        self._asked: dict[str, int] = {}
        self._refused: dict[str, int] = {}
        """Acceptances until a refusal is forgotten."""

    def select(self, account_id: str) -> str:
        """Return the queue for a new execution's hint. `record` must follow."""
        asked = self._asked.get(account_id, 0) + 1
        self._asked[account_id] = asked
        # Many executions may be requested before the first reply gives their number.
        has_much = max(asked, self._heard.get(account_id, 0)) > BULK_FROM
        return BULK_QUEUE if has_much else WALK_QUEUE

    def was_refused(self, account_id: str) -> bool:
        """Return whether one of the account's last requests for an execution was refused."""
        return account_id in self._refused

    def record(self, account_id: str, active: int | None) -> None:
        """Record the account's active executions from the reply, None when it failed."""
        left = self._asked.pop(account_id) - 1
        if left:
            self._asked[account_id] = left
        if active is None:
            if len(self._refused) > MAX_KNOWN:
                self._refused.clear()
            self._refused[account_id] = REFUSED_UNTIL
        else:
            self._note_acceptance(account_id)
            if len(self._heard) > MAX_KNOWN:
                self._heard.clear()
            self._heard[account_id] = active

    def _note_acceptance(self, account_id: str) -> None:
        acceptances = self._refused.get(account_id)
        if acceptances == 1:
            del self._refused[account_id]
        elif acceptances is not None:
            self._refused[account_id] = acceptances - 1
