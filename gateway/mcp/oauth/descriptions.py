"""Descriptions of the authorization server (RFC 8414) and of the resource (RFC 9728)."""

from functools import lru_cache

from mcp.server.auth.handlers.metadata import MetadataHandler, ProtectedResourceMetadataHandler
from mcp.shared.auth import OAuthMetadata, ProtectedResourceMetadata
from pydantic import ValidationError

from engine.errors import NotFound
from gateway.mcp.oauth import addresses

CACHED = 64
METHODS = ("none", "client_secret_post", "client_secret_basic")
UNKNOWN_ADDRESS = "The address of this installation is not known: HEADRACE_PUBLIC_URL names it"


@lru_cache(CACHED)
def describe_server(address: str) -> MetadataHandler:
    """Return the handler of the authorization server's description. Raises NotFound."""
    members = {
        "issuer": address,
        "authorization_endpoint": address + addresses.AUTHORIZE,
        "token_endpoint": address + addresses.EXCHANGE,
        "registration_endpoint": address + addresses.REGISTER,
        "revocation_endpoint": address + addresses.REVOKE,
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": METHODS,
        "revocation_endpoint_auth_methods_supported": METHODS,
        "authorization_response_iss_parameter_supported": True,
    }
    try:
        return MetadataHandler(OAuthMetadata.model_validate(members))
    except ValidationError:
        raise NotFound(UNKNOWN_ADDRESS) from None


@lru_cache(CACHED)
def describe_resource(address: str) -> ProtectedResourceMetadataHandler:
    """Return the handler of the protected resource's description. Raises NotFound."""
    members = {
        "resource": address + addresses.RESOURCE,
        "authorization_servers": [address],
        "resource_name": "Headrace",
    }
    try:
        return ProtectedResourceMetadataHandler(ProtectedResourceMetadata.model_validate(members))
    except ValidationError:
        raise NotFound(UNKNOWN_ADDRESS) from None
