"""Sources of executions: the routes and pages that begin them."""

from enum import StrEnum


class Source(StrEnum):
    """Origin of an execution."""

    WORKFLOW = "api-workflow"
    """The run route of a workflow."""
    MODEL = "api-slim"
    """The run route of a model."""
    APP = "app"
    """The pages, by a session."""
    APP_DRAFT = "app-draft"
    """A draft."""
    BATCH = "batch"
    """An item of a batch."""
    SUB = "sub"
    """A node of another execution."""
    TRIGGER = "trigger"
    """A schedule or an inbound webhook."""
    MCP = "mcp"
    """A tool call of the Model Context Protocol."""
    REPLAY = "replay"
    """An execution of a replay, which runs the inputs of an earlier execution again."""
    TEST = "test"
    """A test of a workflow, or the judge of one."""
