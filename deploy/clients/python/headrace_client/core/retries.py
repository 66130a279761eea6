"""When a failed request is sent again, and after which pause."""

import email.utils
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from headrace_client.core.effects import Response
from headrace_client.errors import ApiError, RateLimitError, family

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
NOT_BEGUN_STATUS = frozenset({429, 503})
PROXY_STATUS = frozenset({502, 504})
"""A proxy got no answer, so the call may have begun."""
PASSING_CODES = frozenset({"INTERNAL_ERROR", "IDEMPOTENCY_KEY_IN_USE", "REQUEST_TIMEOUT"})
"""Pass unless they name an execution: one that failed stays so, one that goes on is polled."""


def read_members(body: bytes) -> dict[str, Any]:
    """Return the members of a JSON object, none for any other body."""
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that `Retry-After` asks for, from a number or a date."""
    text = headers.get("retry-after", "").strip()
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        at = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


def make_error(response: Response) -> ApiError:
    """Return the error that an answer is."""
    members = read_members(response.body)
    code, sentence = members.get("code"), members.get("error")
    code = code if isinstance(code, str) else None
    return family(response.status, code)(
        sentence if isinstance(sentence, str) else f"The server answered {response.status}",
        status=response.status,
        code=code,
        body=members,
        request_id=response.headers.get("x-request-id"),
        retry_after=read_retry_after(response.headers),
    )


def is_passing(error: ApiError, *, is_repeatable: bool) -> bool:
    """Return whether the same request may go well later.

    A call that is not `is_repeatable` is repeated only where the server has not begun it.
    """
    if error.status in NOT_BEGUN_STATUS:
        return True
    if not is_repeatable:
        return False
    is_of_a_run = error.execution_id is not None
    return error.status in PROXY_STATUS or (error.code in PASSING_CODES and not is_of_a_run)


@dataclass(slots=True)
class Attempts:
    """Failures of one call so far; a 429 counts as none, for the server only asks to wait."""

    max_retries: int
    jitter: float
    failures: int = 0

    def count(self, error: Exception) -> bool:
        """Count a failure; return whether another attempt is left."""
        if isinstance(error, RateLimitError):
            return True
        self.failures += 1
        return self.failures <= self.max_retries

    def pause(self, retry_after: float | None, random: float) -> float:
        """Return the seconds before the next attempt, from a random number below 1."""
        growing = FIRST_PAUSE_SECONDS * 2.0 ** min(10, max(0, self.failures - 1))
        shortened = min(LONGEST_PAUSE_SECONDS, growing) * (1 - self.jitter * random)
        if retry_after is None:
            return shortened
        return retry_after + min(1.0, FIRST_PAUSE_SECONDS) * random
