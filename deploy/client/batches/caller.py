"""Batches, by the API."""

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from deploy.client.api import Answer, Api
from deploy.client.batches.item_files import ItemFile
from deploy.client.callers import SHORT_PAGE, WorkflowCaller, get_page, read_rows
from deploy.output.problems import ApiRefused, CommandFailed


class BatchCaller:
    """Starts batches and reads them, in the names of the API."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.workflows = WorkflowCaller(api)

    async def start(self, slug: str, file: ItemFile, members: Mapping[str, Any]) -> Answer:
        """Start a batch of the items of a file; `members` are further ones of the body.

        Raises CommandFailed, which names the rows of wrong items.
        """
        path = f"/api/workflows/{quote(slug, safe='')}/batch"
        try:
            return await self._api.post(path, {"items": await self._upload(file), **members})
        except ApiRefused as refusal:
            faults = refusal.answer.get("items") if isinstance(refusal.answer, dict) else None
            if not isinstance(faults, list):
                raise
            raise CommandFailed("\n".join(_sentence(file, each) for each in faults)) from None

    async def _upload(self, file: ItemFile) -> Sequence[Answer]:
        """Return the items with an asset's id in place of each file; a file is sent once."""
        ids: dict[Path, str] = {}
        for item in file.items:
            for value in item["inputs"].values():
                if isinstance(value, Path) and value not in ids:
                    ids[value] = await self.workflows.upload(value)
        if not ids:
            return file.items
        return [{**item, "inputs": _replaced(item["inputs"], ids)} for item in file.items]

    async def batch(self, batch_id: str) -> Answer:
        """Return a batch."""
        batch: Answer = await self._api.get(_path(batch_id))
        return batch

    async def batches(self, limit: int) -> list[Answer]:
        """Return the newest batches of the account."""
        return await read_rows(self._api, "/api/batches", limit, page_rows=SHORT_PAGE)

    async def items(self, batch_id: str) -> AsyncIterator[Sequence[Answer]]:
        """Yield the pages of a batch's items."""
        path, cursor, is_first = f"{_path(batch_id)}/items", None, True
        while is_first or cursor is not None:
            rows, cursor = await get_page(self._api, path, SHORT_PAGE, cursor, {})
            is_first = False
            yield rows

    async def cancel(self, batch_id: str) -> Answer:
        """Cancel the items that have not ended."""
        return await self._api.post(f"{_path(batch_id)}/cancel")

    async def retry(self, batch_id: str) -> Answer:
        """Start a batch of the failed items."""
        return await self._api.post(f"{_path(batch_id)}/retry")


def _path(batch_id: str) -> str:
    return f"/api/batches/{quote(batch_id, safe='')}"


def _replaced(inputs: Mapping[str, Any], ids: Mapping[Path, str]) -> dict[str, Any]:
    return {
        name: ids[value] if isinstance(value, Path) else value for name, value in inputs.items()
    }


def _sentence(file: ItemFile, fault: Mapping[str, Any]) -> str:
    return f"{file.place(fault['index'], fault.get('field') or '')}: {fault['reason']}"
