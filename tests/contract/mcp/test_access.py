"""The contract of `/mcp`: who may call it."""

import httpx2

ROUTES = {"POST /mcp": "key", "GET /mcp": "key", "DELETE /mcp": "key"}
PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
HEADERS = {"accept": "application/json, text/event-stream"}


def test_a_caller_without_a_key_is_told_where_to_get_a_token(anonymous: httpx2.Client) -> None:
    answer = anonymous.post("/mcp", json=PING, headers=HEADERS)

    assert (answer.status_code, answer.json()) == (401, {"error": "Unauthorized"})
    scheme, _, metadata = answer.headers["www-authenticate"].partition(' resource_metadata="')
    assert scheme == "Bearer"
    assert metadata.endswith('/.well-known/oauth-protected-resource"')


def test_a_key_in_either_header_is_taken(
    anonymous: httpx2.Client, api_access: tuple[str, str]
) -> None:
    _, key = api_access

    for given in ({"x-api-key": key}, {"authorization": f"Bearer {key}"}):
        assert anonymous.post("/mcp", json=PING, headers=HEADERS | given).status_code == 200


def test_a_page_of_another_origin_is_refused(module_client: httpx2.Client) -> None:
    foreign = HEADERS | {"origin": "https://evil.example"}
    own = HEADERS | {"origin": str(module_client.base_url).rstrip("/")}

    refused = module_client.post("/mcp", json=PING, headers=foreign)

    assert (refused.status_code, refused.json()["code"]) == (403, "ORIGIN_DENIED")
    assert module_client.post("/mcp", json=PING, headers=own).status_code == 200
