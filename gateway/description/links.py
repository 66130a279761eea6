"""What can be called next with what an answer brought."""

from typing import Any

LINKS: dict[str, dict[str, dict[str, str]]] = {
    "Workflow": {
        name: {"slug": "slug"}
        for name in ("run_workflow", "get_workflow", "get_schema", "get_workflow_openapi")
    },
}
"""By the shape of the answer: operations, with the members that their parameters are."""


def links_of(answer: str) -> dict[str, Any]:
    """The links of an answer with this shape."""
    return {
        operation: {
            "operationId": operation,
            "parameters": {
                name: f"$response.body#/{member}" for name, member in parameters.items()
            },
        }
        for operation, parameters in LINKS.get(answer, {}).items()
    }
