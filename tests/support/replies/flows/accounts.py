"""Accounts: keys, sessions, secrets, money and models of admins."""

from engine.access.capabilities import Role, Tier
from tests.support.factories import greeting
from tests.support.manifests import manifest
from tests.support.oauth.browser_flow import Flow as BrowserFlow
from tests.support.replies.installation import Actor


async def keys(actor: Actor) -> None:
    """Make, rename and revoke a key."""
    body = {"name": "site", "capabilities": ["workflow:run"]}
    made = await actor.ask("POST", "/api/api-keys", body, by=actor.browser, status=201)
    path = f"/api/api-keys/{made['id']}"
    await actor.ask("PATCH", path, {"name": "page"}, by=actor.browser)
    await actor.ask("DELETE", path, by=actor.browser, status=(200, 404))
    kept = {"name": "kept", "capabilities": ["workflow:run"]}
    await actor.ask("POST", "/api/api-keys", kept, by=actor.browser, status=201)


async def secrets(actor: Actor) -> None:
    """Save and delete secrets."""
    for name in ("FIRST_KEY", "SECOND_KEY"):
        await actor.ask(
            "PUT", f"/api/secrets/{name}", {"value": "v" * 20}, by=actor.browser, status=(200, 201)
        )
    await actor.ask("DELETE", "/api/secrets/FIRST_KEY", by=actor.browser, status=(200, 404))


async def money(actor: Actor) -> None:
    """Add credits, as an admin and as a command."""
    path = f"/api/admin/accounts/{actor.account.id}"
    await actor.ask("POST", f"{path}/credit", {"credits": 50, "note": "invoice 7"}, by=actor.admin)
    await actor.ask("PATCH", path, {"tier": "pro"}, by=actor.admin)
    terms = actor.store.tiers.terms(Tier.PRO, Role.USER)
    await actor.repeat(lambda: actor.store.wallets.top_up(actor.account.id, terms, 5))


async def sessions(actor: Actor) -> None:
    """Sign a browser in by a link of an admin, and out."""
    path = f"/api/admin/accounts/{actor.account.id}/login-link"
    link = await actor.ask("POST", path, by=actor.admin, status=201)
    token = link["url"].partition("token=")[2]
    async with actor.installation.client({"origin": actor.installation.url}) as browser:
        await actor.ask("POST", f"/login?token={token}", by=browser, status=303)
        await actor.ask("POST", "/logout", by=browser, status=(200, 401))


async def models(actor: Actor) -> None:
    """Save, change and delete the manifest of a model."""
    name = f"m-{actor.account.id[-12:]}"
    body = {"manifest": manifest(name)}
    await actor.ask("POST", "/api/models", body, by=actor.admin, status=201)
    path = f"/api/models/{name}"
    await actor.ask("PUT", path, {"manifest": manifest(name, category="image")}, by=actor.admin)
    await actor.note("versions", f"{path}/versions", by=actor.admin)
    await actor.ask("DELETE", path, by=actor.admin, status=(200, 404))


async def new_account(actor: Actor) -> None:
    """Make an account, and an admin whose role is taken again."""
    email = f"{actor.account.id}@example.com"
    body = {"email": email, "tier": "pro", "approved": True}
    made = await actor.ask("POST", "/api/admin/accounts", body, by=actor.admin, status=201)
    path = f"/api/admin/accounts/{made['id']}"
    for role in ("admin", "user"):
        await actor.ask("PATCH", path, {"role": role}, by=actor.admin)
    await actor.note("accounts", f"/api/admin/accounts?q={email}", by=actor.admin)


async def connected_program(actor: Actor) -> None:
    """Register a program, grant it a workflow, and let it run that."""
    slug = await actor.save(greeting().body())
    async with actor.installation.client({}) as http:
        flow = BrowserFlow(http)
        assert (await flow.register()).status_code == 201
        token = await flow.connect(actor.browser, [slug])
    async with actor.installation.client({"x-api-key": token}) as program:
        path, body = f"/api/workflows/{slug}/run", {"inputs": {"who": "Ada"}}
        await actor.ask("POST", path, body, by=program)
