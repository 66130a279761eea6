"""An account that uploads documents and runs a workflow that reads them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from deploy.net.http_client import call
from tests.support.acceptance.callers import make_caller, save
from tests.support.acceptance.running_stack import RunningStack, until

PATIENCE_SECONDS = 180.0
READING = {
    "name": "Reading",
    "nodes": [
        {
            "id": "form",
            "type": "requestInput",
            "position": {"x": 0, "y": 0},
            "data": {"fields": [{"name": "document", "type": "file", "required": True}]},
        },
        {"id": "read", "type": "documentText", "position": {"x": 320, "y": 0}, "data": {}},
        {
            "id": "result",
            "type": "responseOutput",
            "position": {"x": 640, "y": 0},
            "data": {"fields": [{"name": "error"}]},
        },
    ],
    "edges": [
        {
            "id": f"{source}-{target}",
            "source": source,
            "target": target,
            "sourceHandle": output,
            "targetHandle": socket,
        }
        for source, output, target, socket in (
            ("form", "document", "read", "file-in"),
            ("read", "error-out", "result", "error"),
        )
    ],
}
"""A workflow whose result is the error of the document, or null."""


@dataclass(frozen=True, slots=True)
class DocumentCaller:
    """Account with the workflow."""

    stack: RunningStack
    key: str
    slug: str

    def upload(self, name: str, content_type: str, data: bytes) -> httpx2.Response:
        """Upload a file under its name; return the answer."""
        return httpx2.post(
            f"{self.stack.url}/api/assets",
            files={"file": (name, data, content_type)},
            headers={"x-api-key": self.key},
            timeout=PATIENCE_SECONDS,
        )

    def begin(self, asset_id: str) -> str:
        """Begin a run on an asset; return the execution's id."""
        path = f"/api/workflows/{self.slug}/run?async=true"
        status, answer = self._call("POST", path, {"inputs": {"document": asset_id}})
        assert status == 202, answer
        return str(answer["executionId"])

    def execution(self, execution_id: str) -> Mapping[str, Any]:
        """Return an execution as it is now."""
        found: Mapping[str, Any] = self._call("GET", f"/api/executions/{execution_id}")[1]
        return found

    def ended(self, execution_id: str) -> Mapping[str, Any]:
        """Return an execution once it has ended."""
        return until(
            lambda: self.execution(execution_id),
            lambda found: found["completedAt"],
            timeout=PATIENCE_SECONDS,
        )

    def _call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        return call(method, self.stack.url + path, key=self.key, body=body)


def document_caller(stack: RunningStack, name: str) -> DocumentCaller:
    """Make an account with the workflow."""
    _, key = make_caller(stack, name)
    return DocumentCaller(stack, key, save(stack, key, "Reading", READING))
