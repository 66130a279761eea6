"""Route of inbound webhooks: events of other services start runs."""

import re

from starlette.routing import Route

from engine import errors
from gateway.auth.endpoints import guessed, operation
from gateway.auth.resource import Resource
from gateway.hooks.answers import EventAccepted, EventRepeated, EventSkipped, UrlChallenge
from gateway.hooks.service import receive_event
from gateway.http import response_headers
from gateway.http.responses import Answer
from gateway.http.types import OBJECT, Content
from gateway.openapi.schema import TEXT, described
from gateway.runs.errors import RUN_ERRORS
from gateway.runs.types import RunResult
from gateway.services import GatewayRequest

PATH = re.compile(r"/hooks/[^/]+")
EXAMPLE = "Zr0sQm9yXk1dWc7uT2eHbL5aN8pVfG3jKq6wRtYxCzA"
EVENT_BODY = Content(
    component="EventBody", kind=OBJECT, examples=({"action": "opened", "issue": {"number": 7}},)
)


@operation(
    path=(("token", described(TEXT, "The last part of the trigger's `url`.", EXAMPLE)),),
    body=EVENT_BODY,
    answers={
        200: (EventRepeated, EventSkipped, UrlChallenge, RunResult),
        202: EventAccepted,
    },
    errors=(
        *(*RUN_ERRORS, errors.InvalidSignature, errors.TriggerNotFound, errors.InvalidBody),
        errors.InvalidEvent,
        *(errors.AccountNotApproved, errors.WorkflowNotRunnable, errors.InvalidWebhook),
        errors.RateLimitExceeded,
    ),
)
@guessed
async def receive(request: GatewayRequest) -> Answer:
    """Send an event to a trigger: once its sender is verified, it starts a run.

    The body is JSON, a form or a text of at most 1 MB.
    """
    response_headers.forbid_storing(request.scope)
    return await receive_event(request, request.path_params["token"])


routes = [Route("/hooks/{token}", Resource(POST=receive))]
