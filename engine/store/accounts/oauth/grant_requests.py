"""Requests of clients for a grant: each is answered once, within ten minutes."""

import math
import secrets

from engine.errors import TooManyGrantRequests
from engine.ids import tokens
from engine.store.accounts.oauth import keys
from engine.store.accounts.oauth.clients import DAY_MS
from engine.store.accounts.oauth.records import GrantRequest
from engine.store.redis.client import Client
from engine.store.redis.info import read_now
from engine.store.redis.scripts import SCRIPTS

PREFIX = "hr_grant_"
REQUEST_MS = 600_000
"""As long as a login link works, so that its visitor can sign in in between."""
MOST_REQUESTS = 5_000
"""With at most 8 KB each they take 40 MB; beyond, the oldest go."""
MOST_PER_ADDRESS = 60
"""Requests of one address within `REQUEST_MS`."""
GRANTED_MS = 400 * DAY_MS
"""Life of a client after its last grant; its keys live on."""
MOST_GRANTED = 100_000
ANSWERED = b"!"


def is_grant_request(token: str) -> bool:
    """Return whether a text has the form of a token of a request."""
    return tokens.is_well_formed(token, PREFIX)


class GrantRequests:
    """Opens, reads and answers requests for a grant, stored by the digest of their token."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def open(self, request: GrantRequest, address: str) -> str:
        """Save the request of this address; return its token. Raises TooManyGrantRequests."""
        token = tokens.make_token(PREFIX, 0)
        wait_ms = await self._client.call(
            SCRIPTS["add_oauth_record"],
            records=keys.requests(),
            by_end=keys.requests_by_end(),
            window=keys.openings(address),
            id=tokens.digest(token),
            record=request.pack(),
            keep_ms=REQUEST_MS,
            most=MOST_REQUESTS,
            window_ms=REQUEST_MS,
            most_in_window=MOST_PER_ADDRESS,
            all_ms=REQUEST_MS,
        )
        if wait_ms:
            raise TooManyGrantRequests(MOST_PER_ADDRESS, math.ceil(wait_ms / 1_000))
        return token

    async def find(self, token: str) -> tuple[GrantRequest, int] | None:
        """Return a request that waits for its answer, with its end.

        None for one that is unknown, answered or over.
        """
        if not is_grant_request(token):
            return None
        digest = tokens.digest(token)
        record = await self._client.send("HGET", keys.requests(), digest)
        ends = await self._client.send("ZSCORE", keys.requests_by_end(), digest)
        if not record or not ends or record.startswith(ANSWERED):
            return None
        if float(ends) <= await read_now(self._client):
            return None
        return GrantRequest.parse(record), int(float(ends))

    async def answer(self, token: str, *, granted_to: str | None) -> GrantRequest | None:
        """Take the request, once; None as in `find`.

        `granted_to` is the client when the answer is a grant.
        """
        if not is_grant_request(token):
            return None
        record = await self._client.call(
            SCRIPTS["answer_grant_request"],
            requests=keys.requests(),
            requests_by_end=keys.requests_by_end(),
            clients=keys.clients(),
            ungranted=keys.ungranted(),
            granted=keys.granted(),
            request=tokens.digest(token),
            answer=secrets.token_hex(16),
            client=granted_to,
            keep_ms=GRANTED_MS,
            most=MOST_GRANTED,
        )
        return None if not record else GrantRequest.parse(record)
