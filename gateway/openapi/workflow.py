"""The OpenAPI document of one workflow: its run, with its inputs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import InvalidInputs
from engine.graph.document import Document
from engine.graph.plan import Plan
from engine.values.fields import CHOICES, NUMBERS, Field, FieldType, check_inputs
from engine.values.input_schemas import inputs_schema
from gateway.auth.guard import Endpoint
from gateway.http.types import JSON, Schema
from gateway.openapi.document import Components, assemble, describe, shapes_of
from gateway.openapi.errors import ProblemView, WrongItemView
from gateway.openapi.results import result_of
from gateway.openapi.schema import members, ref

RUN_PATH = "/api/workflows/{slug}/run"
SAMPLE_VALUES: dict[FieldType, Any] = {
    FieldType.TOGGLE: True,
    FieldType.IMAGE: "https://example.com/image.png",
    FieldType.VIDEO: "https://example.com/video.mp4",
    FieldType.AUDIO: "https://example.com/audio.mp3",
    FieldType.FILE: "https://example.com/document.pdf",
    FieldType.JSON: {},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedWorkflow:
    """A workflow as a given caller may see it."""

    slug: str
    version: int
    document: Document
    plan: Plan
    values: Mapping[str, Any]
    """Saved values, empty when the caller may not see them."""
    allow_http: bool


def make_workflow_document(
    workflow: DescribedWorkflow, run: Endpoint, server: str
) -> dict[str, Any]:
    """Return the document; `run` is the endpoint that runs workflows, `server` the API's URL."""
    path = RUN_PATH.replace("{slug}", workflow.slug)
    described = run.operation
    if described is None:
        raise ValueError("the run has no description")
    operation = describe(path, "POST", run)
    for response in operation["responses"].values():
        response.pop("links", None)  # they lead to operations outside this document
    # Collected before any text of the author comes in, since such a text may look like a reference.
    known = Components.from_shapes([ProblemView, WrongItemView, *shapes_of(described)])
    needed = sorted(_needed(operation, known.schemas) - {"RunRequest"})
    components = Components({name: known.schemas[name] for name in needed}, known.examples)
    operation["requestBody"]["content"] = _request(workflow)
    operation["responses"]["200"]["content"] |= _result(workflow.plan, known.examples["RunResult"])
    info = {
        "title": workflow.document.name,
        "description": workflow.document.description,
        "version": str(workflow.version),
    }
    document = assemble(info, {path: {"post": operation}}, components, servers=[{"url": server}])
    del document["components"]["examples"]["RunResult"]  # the workflow's own example replaces it
    return document


def _request(workflow: DescribedWorkflow) -> dict[str, Any]:
    plan = workflow.plan
    inputs = inputs_schema(
        plan.fields,
        strict=plan.strict_inputs,
        allow_http=workflow.allow_http,
        allow_assets=True,
    )
    del inputs["$schema"]  # the document has the same dialect
    example = _example_inputs(workflow)
    shown = {} if example is None else {"example": {"inputs": example}}
    return {JSON: {"schema": members(inputs=inputs), **shown}}


def _result(plan: Plan, usual: Sequence[Any]) -> dict[str, Any]:
    shape, example = result_of(plan)
    schema = {"allOf": [ref("RunResult"), members(result=shape)]}
    return {JSON: {"schema": schema, "example": {**usual[0], "result": example}}}


def _example_inputs(workflow: DescribedWorkflow) -> dict[str, Any] | None:
    """Return inputs that a run accepts, or None when a required one cannot be made up."""
    inputs = {}
    for field in workflow.plan.fields:
        saved = workflow.values.get(field.name, field.default)
        fitting = (
            value
            for value in (saved, *_sample_values(field))
            if value is not None and _fits(field, value, workflow.allow_http)
        )
        value = next(fitting, None)
        if value is not None:
            inputs[field.name] = value
        elif field.required:
            return None
    return inputs


def _sample_values(field: Field) -> Iterator[Any]:
    if field.type in CHOICES:
        yield from field.options
    if field.type in NUMBERS:
        yield from (number for number in (field.min, 1, 0, field.max) if number is not None)
    elif field.type in SAMPLE_VALUES:
        yield SAMPLE_VALUES[field.type]
    else:
        yield field.label[: field.max_length]


def _fits(field: Field, value: Any, allow_http: bool) -> bool:
    try:
        check_inputs([field], {field.name: value}, strict=False, allow_http=allow_http)
    except InvalidInputs:
        return False
    return True


def _needed(value: Any, schemas: Mapping[str, Schema]) -> set[str]:
    """Return the schemas that the value refers to, directly or through other schemas."""
    needed: set[str] = set()
    found = set(_references(value))
    while found:
        needed |= found
        found = {name for each in found for name in _references(schemas[each])} - needed
    return needed


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        target = value.get("$ref", "")
        if isinstance(target, str) and target.startswith("#/components/schemas/"):
            yield target.rpartition("/")[2]
        for each in value.values():
            yield from _references(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)
