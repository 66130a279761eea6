"""Resources: the endpoints of one path as an ASGI application."""

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.auth.guard import Endpoint, Public, authenticate_request
from gateway.http import response_headers
from gateway.http.errors import method_not_allowed
from gateway.http.responses import Answer, LargeResponse
from gateway.services import GatewayRequest


class Resource:
    """Endpoints of one path by method. As an ASGI app it answers, or refuses other methods.

    Answers of endpoints that need a key or a session carry account data: no cache may store them.
    """

    def __init__(self, **endpoints: Endpoint) -> None:
        self.endpoints = endpoints
        methods = set(endpoints) | ({"HEAD"} if "GET" in endpoints else set())
        self._allowed = ", ".join(sorted(methods))
        self._is_public = all(isinstance(endpoint, Public) for endpoint in endpoints.values())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request: GatewayRequest = GatewayRequest(scope, receive)
        method = scope["method"]
        endpoint = self.endpoints.get("GET" if method == "HEAD" else method)
        if not isinstance(endpoint, Public):
            response_headers.forbid_storing(scope)
        try:
            response: Answer
            if endpoint is None:
                response = await self._refuse(request)
            else:
                response = await endpoint.answer(request)
            if not isinstance(response, Response):
                response = await response.finish()
            if isinstance(response, LargeResponse):
                request.services.result_memory.settle(request.context, len(response.body))
            await response(scope, receive, send)
        finally:
            _release(request)

    async def _refuse(self, request: GatewayRequest) -> Response:
        if not self._is_public:
            await authenticate_request(request)
        return method_not_allowed(self._allowed)


def _release(request: GatewayRequest) -> None:
    """Give back all that a request holds."""
    context = request.context
    if context.result_bytes is not None:
        request.services.result_memory.release(context)
    if context.body_bytes is not None:
        request.services.body_memory.release(context)
    if context.account_id:
        request.services.account_requests.end(context)
    if context.streaming_account_id:
        request.services.open_streams.free_place(context)
