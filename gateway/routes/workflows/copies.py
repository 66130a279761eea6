"""The answer to the copy of a workflow."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Self

from msgspec import UNSET, UnsetType, structs

from engine.services.workflows.copy_workflow import WorkflowCopy
from gateway.http.types import doc
from gateway.routes.workflows.documents import WorkflowView


class CopyView(WorkflowView, kw_only=True):
    """A new workflow; of the copy of a template, the copies of the workflows that it calls too."""

    copied_workflows: Annotated[
        Mapping[str, str] | UnsetType,
        doc("Slugs of the workflows that were copied with it, by those of the originals."),
    ] = UNSET
    missing_workflows: Annotated[
        Sequence[str] | UnsetType,
        doc("Slugs of the workflows that it calls and that could not be copied: it is a draft."),
    ] = UNSET

    @classmethod
    def from_copy(cls, copy: WorkflowCopy) -> Self:
        """Build the view; a copy that calls no other workflow looks like any workflow."""
        return cls.from_record(
            copy.workflow,
            copied_workflows=copy.called or UNSET,
            missing_workflows=copy.missing or UNSET,
        )


SAVED = structs.asdict(WorkflowView.examples[0])
CopyView.examples = (
    CopyView(**SAVED),
    CopyView(**SAVED, copied_workflows={"address": "address-2"}),
)
