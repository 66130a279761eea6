"""Section 8, a model is data: an admin adds one while all processes run."""

import uuid
from typing import Any

from tests.contract.models.test_models import MODEL
from tests.support.acceptance.running_stack import until
from tests.support.contract.installation import Administration, Caller
from tests.support.contract.shapes import assert_fits, moment
from tests.support.manifests import manifest

NAME = "contract-own"
PATH = f"/api/models/{NAME}"
FRESH_CALLS = 8
"""New connections, which the gateways share among them."""


def save(admin: Caller, **parts: str) -> Any:
    return admin.post("/api/models", {"manifest": manifest(NAME, **parts)})


def tiers_seen(administration: Administration, key: str) -> set[str | None]:
    """Return the model's tier as several new connections see it; None if it is unknown there."""
    found: set[str | None] = set()
    for _ in range(FRESH_CALLS):
        rows = administration.with_key(key).get("/api/models").json()
        tiers = [row["tierRequired"] for row in rows if row["internalName"] == NAME]
        found.add(tiers[0] if tiers else None)
    return found


def test_a_saved_model_is_a_row_of_the_list_with_its_version(admin: Caller) -> None:
    name = f"own-{uuid.uuid4().hex}"

    answer = admin.post("/api/models", {"manifest": manifest(name)})

    assert (answer.status_code, answer.headers["etag"]) == (201, '"1"')
    more = {"version": int, "savedBy": str, "createdAt": moment, "updatedAt": moment}
    assert_fits(answer.json(), MODEL | more)


def test_all_gateways_follow_what_one_has_saved(
    administration: Administration, admin: Caller
) -> None:
    key = administration.key(administration.account("business"), "model:run")

    observed = [tiers_seen(administration, key)]
    for change in (
        lambda: save(admin),
        lambda: admin.put(PATH, {"manifest": manifest(NAME, tier="pro")}),
        lambda: admin.delete(PATH),
    ):
        assert change().status_code < 300
        observed.append(
            until(lambda: tiers_seen(administration, key), lambda found: len(found) == 1)
        )

    assert observed == [{None}, {"free"}, {"pro"}, {None}]


def test_workers_follow_what_a_gateway_has_saved(admin: Caller) -> None:
    def answered() -> Any:
        return admin.run_model(NAME, {"prompt": "Eve"}).json().get("result")

    save(admin)
    observed = [until(answered)]
    for sign in "?!":
        text = manifest(NAME, call=f'[builtin]\ntemplate = "{{{{ prompt }}}}{sign}"\n')
        assert admin.put(PATH, {"manifest": text}).status_code == 200
        observed.append(until(answered, {"text": f"Eve{sign}"}.__eq__))

    assert observed == [{"text": "<Eve>"}, {"text": "Eve?"}, {"text": "Eve!"}]
