"""Trial of a CEL expression over values, as an editor needs it while somebody types."""

from typing import Annotated, Any

from msgspec import Raw, field
from starlette.responses import Response
from starlette.routing import Route

from engine import errors
from engine.errors.nodes import NodeFailed
from engine.nodes.support.expressions import MAX_VARIABLES
from engine.store import Principal
from engine.store.accounts.rate_limits import EXPRESSION_TRIALS
from engine.values import cel
from gateway.auth.endpoints import operation, requires
from gateway.auth.resource import Resource
from gateway.http.request_bodies import read_body
from gateway.http.responses import json_response
from gateway.http.types import OBJECT, RequestBody, View, doc, refused
from gateway.services import GatewayRequest

MAX_RESULT_BYTES = 65_536
"""Size in JSON above which a result is not shown."""


class ExpressionTrialRequest(RequestBody):
    """An expression and the values that it sees."""

    expression: Annotated[str, refused("must be a text: an expression in CEL")]
    value: Annotated[Any, doc("The variable `value`.")] = None
    variables: Annotated[
        OBJECT,
        doc(f"At most {MAX_VARIABLES} further variables by name."),
        refused("must be an object: values by the names of variables"),
    ] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the number of the variables."""
        if len(self.variables) > MAX_VARIABLES:
            message = f"'variables' has more than {MAX_VARIABLES} names"
            raise errors.InvalidBody(message, field="variables")

    def check_names(self) -> None:
        """Raise InvalidBody for a variable whose name is none in CEL."""
        for name in self.variables:
            if not cel.is_variable(name):
                message = f"'variables' has a name that is none in CEL: {name[:64]}"
                raise errors.InvalidBody(message, field="variables")


ExpressionTrialRequest.examples = (
    ExpressionTrialRequest("value.price * (1.0 + rate)", {"price": 10}, {"rate": 0.2}),
)


class ExpressionTrialView(View):
    """Result of an expression, or its problem."""

    result: Any
    truncated: Annotated[
        bool, doc("True: the result has more than 64 KiB of JSON, and null stands for it.")
    ] = False
    problem: Annotated[str | None, doc("Reason why there is no result, with its position.")] = None


ExpressionTrialView.examples = (
    ExpressionTrialView(12),
    ExpressionTrialView(None, problem="The expression is empty"),
)


@operation(body=ExpressionTrialRequest, answers={200: ExpressionTrialView})
@requires("workflow:read", bucket=EXPRESSION_TRIALS)
async def try_expression(request: GatewayRequest, principal: Principal) -> Response:
    """Evaluate an expression over values, as a node of a run would, and record nothing."""
    body = await read_body(request, ExpressionTrialRequest)
    body.check_names()
    account_id, expressions = principal.account.id, request.services.checker.expressions
    expression = cel.Expression(body.expression, tuple(sorted(body.variables)))
    problem = (await expressions.check(account_id, [expression]))[expression]
    if problem is not None:
        return json_response(ExpressionTrialView(None, problem=problem))
    values = {cel.VALUE: body.value, **body.variables}
    try:
        result = await expressions.evaluate(account_id, body.expression, values)
    except NodeFailed as error:
        return json_response(ExpressionTrialView(None, problem=str(error)))
    is_shown = len(result) <= MAX_RESULT_BYTES
    view = ExpressionTrialView(Raw(result) if is_shown else None, truncated=not is_shown)
    return json_response(view)


routes = [Route("/api/expressions/try", Resource(POST=try_expression))]
