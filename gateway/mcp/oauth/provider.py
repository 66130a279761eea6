"""Provider of the library's OAuth handlers, on the records of the store."""

import contextlib
import logging
import re
import time

from mcp.server.auth.provider import (
    AccessToken,
    AuthorizationCode,
    AuthorizationParams,
    AuthorizeError,
    OAuthAuthorizationServerProvider,
    RefreshToken,
    RegistrationError,
    TokenError,
)
from mcp.shared.auth import InvalidRedirectUriError, OAuthClientInformationFull, OAuthToken
from pydantic import AnyUrl

from engine.access.redirect_uris import check_redirect_uri, fits
from engine.errors import EngineError, NotFound, Unauthorized, Unavailable
from engine.ids import tokens
from engine.store.accounts.oauth.grant_codes import CODE_MS, CodeRefused
from engine.store.accounts.oauth.records import GrantRequest, OAuthClient
from gateway.mcp.oauth.addresses import CONNECT, MAX_ADDRESS, is_own_resource
from gateway.mcp.oauth.client_names import shown_name
from gateway.services import GatewayRequest

logger = logging.getLogger(__name__)

MAX_REDIRECT_URIS = 10
MAX_REDIRECT_BYTES = 6_000
"""Of all redirect URIs of a client."""
MAX_STATE = 2_048
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
"""Digest by SHA-256, in the alphabet of URLs and without padding."""
SECRET_METHOD, NO_METHOD = "client_secret_post", "none"
NO_REFRESH = "There are no refresh tokens: an access token does not expire"


class RegisteredClient(OAuthClientInformationFull):
    """A client as the handlers know it: its secret is the digest, as in `forms`."""

    def validate_scope(self, requested_scope: str | None) -> list[str] | None:
        """Ignore the scope: the owner of the account chooses the workflows."""
        return None

    def validate_redirect_uri(self, redirect_uri: AnyUrl | None) -> AnyUrl:
        """Return the redirect URI of a request. Raises InvalidRedirectUriError."""
        registered = [str(each) for each in self.redirect_uris or ()]
        if redirect_uri is None:
            if len(registered) == 1:
                return AnyUrl(registered[0])
            raise InvalidRedirectUriError("'redirect_uri' is needed: the client has several")
        if any(fits(each, str(redirect_uri)) for each in registered):
            return redirect_uri
        raise InvalidRedirectUriError("The client has not registered this redirect URI")


class GrantedToken(AccessToken):
    """An API key that was granted to a client."""

    key_id: str


class Provider(OAuthAuthorizationServerProvider[AuthorizationCode, RefreshToken, GrantedToken]):
    """Answers the handlers for one request. Raises Unavailable where the store is away."""

    def __init__(self, request: GatewayRequest) -> None:
        self._request = request
        self._store = request.services.store

    @property
    def _address(self) -> str:
        return self._request.services.peers.address(self._request.scope)

    async def get_client(self, client_id: str) -> RegisteredClient | None:
        """Return a registered client; None for an unknown one."""
        found = await self._store.oauth_clients.find(client_id)
        if found is None:
            return None
        return RegisteredClient(
            client_id=found.id,
            client_name=found.name,
            client_secret=found.secret_digest or None,
            redirect_uris=[AnyUrl(each) for each in found.redirect_uris],
            grant_types=["authorization_code"],
            token_endpoint_auth_method=SECRET_METHOD if found.secret_digest else NO_METHOD,
        )

    async def register_client(self, client_info: OAuthClientInformationFull) -> None:
        """Save a client, and leave in the answer what was saved alone.

        Raises RegistrationError or TooManyRegistrations.
        """
        uris = _checked_uris(client_info.redirect_uris or [])
        name = shown_name(client_info.client_name, uris[0])
        secret = client_info.client_secret
        client = OAuthClient(
            id=client_info.client_id,
            name=name,
            redirect_uris=tuple(uris),
            secret_digest=tokens.digest(secret) if secret else "",
            created_at=(client_info.client_id_issued_at or 0) * 1_000,
        )
        await self._store.oauth_clients.register(client, self._address)
        for field in OAuthClientInformationFull.model_fields:
            if field not in KEPT:
                setattr(client_info, field, None)
        client_info.client_name = name
        client_info.grant_types = ["authorization_code"]
        client_info.response_types = ["code"]
        logger.info("OAuth client registered", extra={"client_id": client.id})

    async def authorize(
        self, client: OAuthClientInformationFull, params: AuthorizationParams
    ) -> str:
        """Return the page on which the owner answers the request. Raises AuthorizeError."""
        if CHALLENGE.fullmatch(params.code_challenge) is None:
            raise AuthorizeError("invalid_request", "'code_challenge' must be a challenge by S256")
        if len(params.state or "") > MAX_STATE:
            raise AuthorizeError("invalid_request", f"'state' has at most {MAX_STATE} characters")
        if params.resource is not None and not is_own_resource(self._request, params.resource):
            raise AuthorizeError("invalid_target", "'resource' must be the address of /mcp here")
        if len(self._request.address) > MAX_ADDRESS:
            raise AuthorizeError("invalid_request", "The address of this installation is too long")
        grant_request = GrantRequest(
            client_id=client.client_id,
            client_name=client.client_name or "",
            redirect_uri=str(params.redirect_uri),
            is_redirect_explicit=params.redirect_uri_provided_explicitly,
            challenge=params.code_challenge,
            state=params.state,
            issuer=self._request.address,
            resource=params.resource,
        )
        try:
            token = await self._store.grant_requests.open(grant_request, self._address)
        except EngineError as error:
            raise AuthorizeError("temporarily_unavailable", error.message) from None
        return f"{CONNECT}/{token}"

    async def load_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: str
    ) -> AuthorizationCode | None:
        """Return the grant of a code, even of one that is over or was used.

        Its time is Redis's, so that the exchange looks at it.
        """
        grant = await self._store.grant_codes.find(authorization_code)
        if grant is None or grant.client_id != client.client_id:
            return None
        return AuthorizationCode(
            code=authorization_code,
            scopes=list(grant.capabilities),
            expires_at=time.time() + CODE_MS / 1_000,
            client_id=grant.client_id,
            code_challenge=grant.challenge,
            redirect_uri=AnyUrl(grant.redirect_uri),
            redirect_uri_provided_explicitly=grant.is_redirect_explicit,
            resource=grant.resource,
            subject=grant.account_id,
        )

    async def exchange_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: AuthorizationCode
    ) -> OAuthToken:
        """Make the API key of a code. Raises TokenError."""
        grant = await self._store.grant_codes.find(authorization_code.code)
        if grant is None:
            raise TokenError("invalid_grant", "authorization code does not exist")
        try:
            key, secret = await self._store.grant_codes.redeem(authorization_code.code, grant)
        except CodeRefused:
            raise TokenError("invalid_grant", "The code is over, or was used before") from None
        except Unavailable:
            raise
        except EngineError as error:
            raise TokenError("invalid_grant", error.message) from None
        facts = {"account_id": key.account_id, "key_id": key.id, "client_id": client.client_id}
        logger.info("API key granted to a client", extra=facts)
        return OAuthToken(access_token=secret, scope=" ".join(key.capabilities))

    async def load_refresh_token(
        self, client: OAuthClientInformationFull, refresh_token: str
    ) -> RefreshToken | None:
        """Return None: there are no refresh tokens."""
        return None

    async def exchange_refresh_token(
        self, client: OAuthClientInformationFull, refresh_token: RefreshToken, scopes: list[str]
    ) -> OAuthToken:
        """Raise TokenError: there are no refresh tokens."""
        raise TokenError("unsupported_grant_type", NO_REFRESH)

    async def load_access_token(self, token: str) -> GrantedToken | None:
        """Return the API key behind a token; None for one that no client was granted."""
        try:
            principal = await self._store.api_keys.authorize(token)
        except Unauthorized:
            return None
        key = principal.key
        if key is None or key.client is None:
            return None
        return GrantedToken(
            token=token,
            client_id=key.client.id,
            scopes=list(key.capabilities),
            subject=key.account_id,
            key_id=key.id,
        )

    async def revoke_token(self, token: GrantedToken | RefreshToken) -> None:
        """Delete the API key behind a token."""
        if isinstance(token, GrantedToken):
            with contextlib.suppress(NotFound):
                await self._store.api_keys.revoke(token.key_id, owner=token.subject)


KEPT = frozenset(
    {
        *("client_id", "client_secret", "client_id_issued_at", "client_secret_expires_at"),
        *("client_name", "redirect_uris", "grant_types", "response_types"),
        *("token_endpoint_auth_method", "application_type"),
    }
)
"""Members of a registration that its answer repeats; the others are not stored."""


def _checked_uris(uris: list[AnyUrl]) -> list[str]:
    """Return redirect URIs in the form in which requests name them. Raises RegistrationError."""
    found = [str(AnyUrl(str(each))) for each in uris]
    if not 0 < len(found) <= MAX_REDIRECT_URIS:
        reason = f"A client has 1 to {MAX_REDIRECT_URIS} redirect URIs"
        raise RegistrationError("invalid_redirect_uri", reason)
    try:
        for each in found:
            check_redirect_uri(each)
    except ValueError as error:
        raise RegistrationError("invalid_redirect_uri", str(error)) from None
    if sum(map(len, found)) > MAX_REDIRECT_BYTES:
        reason = f"The redirect URIs have at most {MAX_REDIRECT_BYTES:,} characters together"
        raise RegistrationError("invalid_redirect_uri", reason)
    return found
