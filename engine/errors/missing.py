"""Errors of missing resources."""

from engine.errors.base import EXECUTION_ID, EngineError


class NotFound(EngineError):
    """The resource does not exist, or the caller may not know of it."""

    code = "NOT_FOUND"


NotFound.examples = (NotFound("There is nothing at this path"),)


class WorkflowNotFound(NotFound):
    """No such workflow for this caller."""

    code = "WORKFLOW_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("Workflow not found")


WorkflowNotFound.examples = (WorkflowNotFound(),)


class VersionNotFound(NotFound):
    """The workflow has no version of this number, or its document is not kept any more."""

    code = "VERSION_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("Version not found")


VersionNotFound.examples = (VersionNotFound(),)


class DraftNotFound(NotFound):
    """The workflow has no draft."""

    code = "DRAFT_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("This workflow has no draft")


DraftNotFound.examples = (DraftNotFound(),)


class ModelNotFound(NotFound):
    """No runnable model with this internal name."""

    code = "MODEL_NOT_FOUND"

    def __init__(self, message: str = "Model not found") -> None:
        super().__init__(message)


ModelNotFound.examples = (ModelNotFound(),)


class ExecutionNotFound(NotFound):
    """No such execution for this caller."""

    code = "EXECUTION_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("Execution not found")


ExecutionNotFound.examples = (ExecutionNotFound(),)


class BatchNotFound(NotFound):
    """No such batch for this caller."""

    code = "BATCH_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("Batch not found")


BatchNotFound.examples = (BatchNotFound(),)


class TriggerNotFound(NotFound):
    """No such trigger for this caller."""

    code = "TRIGGER_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("Trigger not found")


TriggerNotFound.examples = (TriggerNotFound(),)


class NodeNotFound(NotFound):
    """The execution has no node of this id, or the names of its nodes are gone."""

    code = "NODE_NOT_FOUND"

    def __init__(self, message: str = "Node not found") -> None:
        super().__init__(message)


NodeNotFound.examples = (NodeNotFound(),)


class ApprovalNotFound(NotFound):
    """The node does not wait for an answer, or there is no such node for this caller."""

    code = "APPROVAL_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("No approval waits for an answer at this node")


ApprovalNotFound.examples = (ApprovalNotFound(),)


class AssetNotFound(NotFound):
    """No such asset for this caller, or its link has expired."""

    code = "ASSET_NOT_FOUND"

    def __init__(self, message: str = "Asset not found") -> None:
        super().__init__(message)


AssetNotFound.examples = (AssetNotFound(),)


class AccountNotFound(NotFound):
    """No account with this id; for admins and administrative commands."""

    code = "ACCOUNT_NOT_FOUND"

    def __init__(self, account_id: str) -> None:
        super().__init__(f"There is no account with the id '{account_id}'")


AccountNotFound.examples = (AccountNotFound("acc_5f0c8a2e4b7d91360c2f8e1a7b9d3c54"),)


class ResultGone(EngineError):
    """A result that was too large for the record is missing or damaged in the object store."""

    def __init__(self, execution_id: str) -> None:
        message = "The result of this execution is not there any more"
        super().__init__(message, executionId=execution_id)


ResultGone.examples = (ResultGone(EXECUTION_ID),)


class AliasNotFound(NotFound):
    """The workflow has no alias of this name."""

    code = "ALIAS_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("This workflow has no alias of this name")


AliasNotFound.examples = (AliasNotFound(),)


class ReplayNotFound(NotFound):
    """No such replay for this caller."""

    code = "REPLAY_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("Replay not found")


ReplayNotFound.examples = (ReplayNotFound(),)


class WorkflowTestNotFound(NotFound):
    """The workflow has no test of this name."""

    code = "TEST_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("This workflow has no test of this name")


WorkflowTestNotFound.examples = (WorkflowTestNotFound(),)


class WorkflowTestRunNotFound(NotFound):
    """No such test run for this caller."""

    code = "TEST_RUN_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("Test run not found")


WorkflowTestRunNotFound.examples = (WorkflowTestRunNotFound(),)
