"""What is not there, or not there any more."""

from engine.errors.base import EngineError


class NotFound(EngineError):
    """Nothing is there, or nothing the caller may know of."""

    code = "NOT_FOUND"


class WorkflowNotFound(NotFound):
    """No such workflow for this caller."""

    code = "WORKFLOW_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("Workflow not found")


class ModelNotFound(NotFound):
    """No model with this internal name that can be run."""

    code = "MODEL_NOT_FOUND"

    def __init__(self, message: str = "Model not found") -> None:
        super().__init__(message)


class ExecutionNotFound(NotFound):
    """No such execution for this caller."""

    code = "EXECUTION_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("Execution not found")


class AssetNotFound(NotFound):
    """No such asset for this caller, or the link to it is not good any more."""

    code = "ASSET_NOT_FOUND"

    def __init__(self, message: str = "Asset not found") -> None:
        super().__init__(message)


class AccountNotFound(NotFound):
    """No account with this id (administrative commands)."""

    code = "ACCOUNT_NOT_FOUND"

    def __init__(self, account_id: str) -> None:
        super().__init__(f"There is no account with the id '{account_id}'")


class ResultGone(EngineError):
    """A result that was too large for the record is not where it was kept: removed or damaged."""

    def __init__(self, execution_id: str) -> None:
        message = "The result of this execution is not there any more"
        super().__init__(message, executionId=execution_id)
