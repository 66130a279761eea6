"""Approvals that wait, and answers to them, by the API."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from deploy.client.api import Answer, Api
from deploy.client.callers import SHORT_PAGE, read_rows
from deploy.client.inputs import parse_inputs


class ApprovalCaller:
    """Lists and answers approvals, in the names of the API."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def approvals(self, limit: int) -> list[Answer]:
        """Return the newest approvals that wait for an answer."""
        return await read_rows(self._api, "/api/approvals", limit, page_rows=SHORT_PAGE)

    async def answer(
        self, execution_id: str, node_id: str, decision: str, words: Sequence[str], note: str | None
    ) -> Answer:
        """Approve or refuse; `words` are values of the form as they are typed."""
        path = f"/api/executions/{quote(execution_id, safe='')}"
        body: dict[str, Any] = {"decision": decision, "note": note}
        if words:
            types = _types(await self._api.get(path), node_id)
            body["fields"] = parse_inputs(words, types)
        return await self._api.post(f"{path}/approvals/{quote(node_id, safe='')}", body)


def _types(execution: Answer, node_id: str) -> dict[str, str]:
    """Return the types of the fields of an approval; none where it does not wait any more."""
    return {
        field["name"]: field["type"]
        for wait in execution["waitingFor"]
        if wait["nodeId"] == node_id and "executionId" not in wait
        for field in wait.get("fields", ())
    }
