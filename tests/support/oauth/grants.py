"""Records of OAuth for tests."""

from engine.store.accounts.oauth.records import GrantCode, GrantRequest, OAuthClient

CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
"""The pair of RFC 7636."""
CLIENT = OAuthClient(
    id="client-1",
    name="Notes",
    redirect_uris=("http://127.0.0.1/callback", "https://notes.example/callback"),
    secret_digest="",
    created_at=1,
)
REQUEST = GrantRequest(
    client_id="client-1",
    client_name="Notes",
    redirect_uri="http://127.0.0.1:5000/callback",
    is_redirect_explicit=True,
    challenge=CHALLENGE,
    state="state",
    issuer="http://127.0.0.1:8000",
    resource="http://127.0.0.1:8000/mcp",
)
GRANT = GrantCode(
    account_id="acc_" + "0" * 32,
    capabilities=("workflow:greeting:run",),
    client_id="client-1",
    client_name="Notes",
    redirect_uri="http://127.0.0.1:5000/callback",
    is_redirect_explicit=True,
    challenge=CHALLENGE,
    resource="http://127.0.0.1:8000/mcp",
)
