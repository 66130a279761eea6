"""Addresses of OAuth: the protected resource, its description, and the pages."""

from urllib.parse import urlsplit

from gateway.services import GatewayRequest

RESOURCE = "/mcp"
RESOURCE_METADATA = "/.well-known/oauth-protected-resource"
SERVER_METADATA = "/.well-known/oauth-authorization-server"
AUTHORIZE = "/oauth/authorize"
EXCHANGE = "/oauth/token"
REGISTER = "/oauth/register"
REVOKE = "/oauth/revoke"
CONNECT = "/app/connect"
"""Page on which the owner of an account answers a request for a grant."""
MAX_ADDRESS = 512


def resource_of(request: GatewayRequest) -> str:
    """Return the address of the protected resource, as the caller knows it."""
    return request.address + RESOURCE


def resource_metadata_of(request: GatewayRequest) -> str:
    """Return the address of the resource's description, for `WWW-Authenticate`."""
    return request.address + RESOURCE_METADATA


def is_own_resource(request: GatewayRequest, resource: str) -> bool:
    """Return whether a resource that a client names is this installation's.

    It is the one that the client was told of, under any of the installation's own names.
    """
    if resource == resource_of(request):
        return True
    try:
        parts = urlsplit(resource)
    except ValueError:
        return False
    origin = f"{parts.scheme}://{parts.netloc}"
    is_bare = "?" not in resource and "#" not in resource
    is_ours = request.services.own_origins.include(origin, request.scope)
    return is_bare and is_ours and parts.path in (RESOURCE, RESOURCE + "/")
