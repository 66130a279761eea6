"""Approvals: who may answer them."""

import pytest

from tests.support.contract.installation import Administration
from tests.support.contract.shapes import assert_fits, sentence

ROUTES = {
    "GET /api/approvals": "execution:approve",
    "POST /api/executions/{execution_id}/approvals/{node_id}": "execution:approve",
}
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize("held", [("workflow:*", "execution:read"), ("execution:*",)])
def test_keys_without_the_capability_by_name_may_not_approve(
    administration: Administration, held: tuple[str, ...]
) -> None:
    key = administration.old_key(administration.account("pro"), *held)
    caller = administration.with_key(key)

    for answer in (
        caller.get("/api/approvals"),
        caller.post(f"/api/executions/{UNKNOWN}/approvals/ask", {"decision": "approve"}),
    ):
        assert answer.status_code == 403
        denied = {"code": "CAPABILITY_DENIED", "required": "execution:approve"}
        assert_fits(answer.json(), {"error": sentence, **denied})
