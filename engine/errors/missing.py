"""Errors of missing resources."""

from engine.errors.base import EngineError


class NotFound(EngineError):
    """The resource does not exist, or the caller may not know of it."""

    code = "NOT_FOUND"


class WorkflowNotFound(NotFound):
    """No such workflow for this caller."""

    code = "WORKFLOW_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("Workflow not found")


class ModelNotFound(NotFound):
    """No runnable model with this internal name."""

    code = "MODEL_NOT_FOUND"

    def __init__(self, message: str = "Model not found") -> None:
        super().__init__(message)


class ExecutionNotFound(NotFound):
    """No such execution for this caller."""

    code = "EXECUTION_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("Execution not found")


class AssetNotFound(NotFound):
    """No such asset for this caller, or its link has expired."""

    code = "ASSET_NOT_FOUND"

    def __init__(self, message: str = "Asset not found") -> None:
        super().__init__(message)


class AccountNotFound(NotFound):
    """No account with this id (administrative commands)."""

    code = "ACCOUNT_NOT_FOUND"

    def __init__(self, account_id: str) -> None:
        super().__init__(f"There is no account with the id '{account_id}'")


class ResultGone(EngineError):
    """A result that was too large for the record is missing or damaged in the object store."""

    def __init__(self, execution_id: str) -> None:
        message = "The result of this execution is not there any more"
        super().__init__(message, executionId=execution_id)
