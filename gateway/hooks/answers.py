"""Answers to events of inbound webhooks."""

from typing import Literal

from starlette.responses import Response

from gateway.http import response_headers
from gateway.http.responses import json_response
from gateway.http.types import Uuid, View
from gateway.openapi.examples import EXECUTION_ID
from gateway.services import GatewayRequest

OCCURRENCE_ID = "0f5c2f4e-8a35-4f0c-9a51-6a5f4a3f0b11"


class EventAccepted(View):
    """An event that started a run."""

    links = {"get_execution": {"execution_id": "executionId"}}

    execution_id: Uuid
    occurrence_id: Uuid


EventAccepted.examples = (EventAccepted(EXECUTION_ID, OCCURRENCE_ID),)


class EventRepeated(View):
    """An event whose id has started a run within 24 hours."""

    headers = {"Idempotent-Replayed": "Always `true`."}
    links = {"get_execution": {"execution_id": "executionId"}}

    execution_id: Uuid


EventRepeated.examples = (EventRepeated(EXECUTION_ID),)


class EventSkipped(View):
    """An event for which the condition of the trigger is false: it starts nothing."""

    skipped: Literal[True]


SKIPPED = EventSkipped(skipped=True)
EventSkipped.examples = (SKIPPED,)


class UrlChallenge(View):
    """The answer to Slack's question for the owner of a URL."""

    challenge: str


UrlChallenge.examples = (UrlChallenge("3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"),)


def answer_accepted(execution_id: str, occurrence_id: str) -> Response:
    """Return the answer to an event that started a run."""
    return json_response(EventAccepted(execution_id, occurrence_id), 202)


def answer_repeated(request: GatewayRequest, execution_id: str) -> Response:
    """Return the answer to an event whose id has started a run before."""
    response_headers.add(request.scope, idempotent_replayed="true")
    return json_response(EventRepeated(execution_id))
