"""Takes one scenario as JSON, does its steps with the official Python client, prints the outcomes.

The output is one line of JSON (see scenarios/README.md). The argument names the way of the client:
`modern`, `legacy`, or `stdio`, which starts `headrace mcp`.
"""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import httpx2
import mcp_types as types
from mcp import Client, StdioServerParameters
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider, OAuthFlowError
from mcp.client.extension import ClaimContext, ClientExtension, ResultClaim
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from mcp.shared.exceptions import MCPError
from pydantic import ConfigDict

WAY = sys.argv[1]
URL, LAB = os.environ["MCP_URL"], os.environ["MCP_LAB"]
EXTENSION = "io.modelcontextprotocol/tasks"
ENDED = {"completed", "failed", "cancelled"}
POLL_SECONDS = 0.1
REDIRECT = "http://127.0.0.1:9/callback"


class Wire(types.Result):
    """Any answer, as it was on the wire."""

    model_config = ConfigDict(extra="allow")


class TaskResult(types.Result):
    """Answer of a call that has become a task."""

    model_config = ConfigDict(extra="allow")
    result_type: Literal["task"]


class TaskRequest(types.Request[dict[str, Any], str]):
    """`tasks/get` or `tasks/cancel`."""

    name_param = "taskId"
    method: str
    params: dict[str, Any]


class Tasks(ClientExtension):
    """The extension for tasks, for a client whose library has none."""

    identifier = EXTENSION

    def claims(self) -> tuple[ResultClaim[Any], ...]:
        return (ResultClaim(result_type="task", model=TaskResult, resolve=self.settle),)

    async def settle(self, begun: TaskResult, context: ClaimContext) -> types.CallToolResult:
        """Read the task until it has ended; return its result."""
        task_id = begun.model_dump(by_alias=True)["taskId"]
        task = await settle_task(context.session, task_id)
        if task["status"] != "completed":
            raise MCPError(types.INTERNAL_ERROR, f"the task is {task['status']}")
        return types.CallToolResult.model_validate(task["result"], by_name=False)


async def send_task(session: Any, verb: str, task_id: str) -> dict[str, Any]:
    request = TaskRequest(method=f"tasks/{verb}", params={"taskId": task_id})
    return wire(await session.send_request(request, Wire))


async def settle_task(session: Any, task_id: str) -> dict[str, Any]:
    while (task := await send_task(session, "get", task_id))["status"] not in ENDED:
        await asyncio.sleep(POLL_SECONDS)
    return task


def wire(result: Any) -> Any:
    """Return a value of the library with the names of the protocol."""
    return result.model_dump(by_alias=True, mode="json", exclude_none=True)


class Storage:
    """Keeps the tokens of one scenario."""

    tokens: OAuthToken | None = None
    client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


async def ask_lab(verb: str, members: Mapping[str, Any]) -> Any:
    async with httpx2.AsyncClient(timeout=120) as http:
        answer = await http.post(f"{LAB}/{verb}", json=dict(members))
        answer.raise_for_status()
        return answer.json()


class Consent:
    """Way of a person through the page of consent, which the lab goes."""

    def __init__(self, grant: Any) -> None:
        self._grant = grant
        self._back = ""

    async def redirect(self, url: str) -> None:
        self._back = (await ask_lab("consent", {"url": url, "grant": self._grant}))["location"]

    async def callback(self) -> AuthorizationCodeResult:
        query = {name: one for name, [one] in parse_qs(urlsplit(self._back).query).items()}
        if "error" in query:
            raise OAuthFlowError(query["error"])
        return AuthorizationCodeResult(
            code=query.get("code", ""), state=query.get("state"), iss=query.get("iss")
        )


class Scenario:
    """One client, its calls that run, and saved values."""

    def __init__(self, members: Mapping[str, Any]) -> None:
        self._options: Mapping[str, Any] = members.get("client", {})
        self.saved: dict[str, Any] = {"lab": members["lab"]}
        self._exits = AsyncExitStack()
        self._client: Client | None = None
        self._owner: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()
        self._running: dict[str, asyncio.Task[Any]] = {}
        self._changes: asyncio.Queue[str] = asyncio.Queue()
        self._storage = Storage()
        self._status: int | None = None

    async def _see(self, response: httpx2.Response) -> None:
        if response.status_code >= 400:
            self._status = response.status_code

    def _auth(self) -> OAuthClientProvider | None:
        if "grant" not in self._options:
            return None
        metadata = OAuthClientMetadata.model_validate(
            {
                "client_name": self._options.get("clientName", "Scenario"),
                "redirect_uris": [REDIRECT],
                "grant_types": ["authorization_code"],
                "response_types": ["code"],
                "token_endpoint_auth_method": "none",
            }
        )
        consent = Consent(self._options["grant"])
        return OAuthClientProvider(URL, metadata, self._storage, consent.redirect, consent.callback)

    async def _transport(self) -> Any:
        key = self.saved["lab"]["keys"][self._options.get("key", "main")]
        if WAY == "stdio":
            environ = {"HEADRACE_URL": URL.removesuffix("/mcp"), "HEADRACE_API_KEY": key}
            command, *arguments = json.loads(os.environ["MCP_COMMAND"])
            return StdioServerParameters(
                command=command, args=arguments, env={**os.environ, **environ}
            )
        headers = dict(self._options.get("headers", {}))
        if "grant" not in self._options:
            name = self._options.get("header", "x-api-key")
            headers[name] = f"Bearer {key}" if name == "authorization" else key
        http = httpx2.AsyncClient(
            headers=headers,
            auth=self._auth(),
            timeout=httpx2.Timeout(30, read=120),
            event_hooks={"response": [self._see]},
        )
        await self._exits.enter_async_context(http)
        return streamable_http_client(URL, http_client=http)

    async def client(self) -> Client:
        """Return the client, connected."""
        if self._client is None:
            client = Client(
                await self._transport(),
                mode="legacy" if WAY == "legacy" else "auto",
                extensions=[Tasks()] if self._options.get("tasks") else None,
                message_handler=self._take_message,
                cache=None,
            )
            self._owner = asyncio.create_task(self._own(client, opened := asyncio.Future()))
            await asyncio.wait((opened, self._owner), return_when=asyncio.FIRST_COMPLETED)
            if not opened.done():
                await self._owner  # raises the reason
            self._client = opened.result()
        return self._client

    async def _own(self, client: Client, opened: "asyncio.Future[Client]") -> None:
        """Keep the client in a task of its own, which the library cancels if a connection dies."""
        async with client as connected:
            opened.set_result(connected)
            await self._closing.wait()

    async def _take_message(self, message: Any) -> None:
        if getattr(message, "method", "") == "notifications/tools/list_changed":
            await self._changes.put(message.method)

    async def close(self) -> None:
        self._client, exits, self._exits = None, self._exits, AsyncExitStack()
        for each in self._running.values():
            each.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)
        self._closing.set()
        if self._owner is not None:
            await asyncio.wait((self._owner,))
        self._owner, self._closing = None, asyncio.Event()
        await exits.aclose()

    # Verbs

    async def connect(self) -> Any:
        client = await self.client()
        server = client.server_info
        return {
            "protocolVersion": client.protocol_version,
            "server": server and server.name,
            "capabilities": wire(client.server_capabilities),
        }

    async def reconnect(self) -> Any:
        await self.close()
        return await self.connect()

    async def list_tools(self, cursor: str | None = None) -> Any:
        return wire(await (await self.client()).list_tools(cursor=cursor))

    async def all_tools(self) -> Any:
        tools: list[Any] = []
        page = await self.list_tools()
        tools += page["tools"]
        while cursor := page.get("nextCursor"):
            page = await self.list_tools(cursor)
            tools += page["tools"]
        return tools

    async def call_tool(self, name: str, arguments: Any = None, progress: bool = False) -> Any:
        told: list[Any] = []

        async def tell(done: float, total: float | None, message: str | None) -> None:
            told.append({"progress": done, "total": total, "message": message})

        client = await self.client()
        result = await client.call_tool(
            name, arguments or {}, progress_callback=tell if progress else None
        )
        return {**wire(result), **({"told": told} if progress else {})}

    async def begin_task(self, name: str, arguments: Any = None) -> Any:
        session = (await self.client()).session
        return wire(await session.call_tool(name, arguments or {}, allow_claimed=True))

    async def get_task(self, taskId: str) -> Any:
        return await send_task((await self.client()).session, "get", taskId)

    async def cancel_task(self, taskId: str) -> Any:
        return await send_task((await self.client()).session, "cancel", taskId)

    async def settle_task(self, taskId: str) -> Any:
        return await settle_task((await self.client()).session, taskId)

    async def listen(self) -> Any:
        client = await self.client()
        if WAY == "legacy":
            return {"honored": {"toolsListChanged": True}}
        opened: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        async def follow() -> None:
            async with client.listen(tools_list_changed=True) as subscription:
                opened.set_result(wire(subscription.honored))
                async for _ in subscription:
                    await self._changes.put("subscription")

        task = asyncio.create_task(follow())
        self._running["subscription"] = task
        await asyncio.wait((opened, task), return_when=asyncio.FIRST_COMPLETED)
        if not opened.done():
            await task
        return {"honored": await opened}

    async def changes(self, seconds: float = 20) -> Any:
        try:
            async with asyncio.timeout(seconds):
                await self._changes.get()
        except TimeoutError:
            return {"changed": False}
        return {"changed": True}

    async def cancel(self, of: str) -> Any:
        self._running[of].cancel()
        return {}

    async def outcome(self, step: Mapping[str, Any], arguments: Mapping[str, Any]) -> Any:
        """Do one call; return its value or its error."""
        verbs: Mapping[str, Callable[..., Awaitable[Any]]] = {
            "connect": self.connect,
            "reconnect": self.reconnect,
            "listTools": self.list_tools,
            "allTools": self.all_tools,
            "callTool": self.call_tool,
            "beginTask": self.begin_task,
            "getTask": self.get_task,
            "cancelTask": self.cancel_task,
            "settleTask": self.settle_task,
            "listen": self.listen,
            "changes": self.changes,
            "cancel": self.cancel,
        }
        self._status = None
        try:
            return {"value": await verbs[step["call"]](**arguments)}
        except asyncio.CancelledError:
            return {"error": {"kind": "cancelled"}}
        except Exception as error:
            return {"error": {**described(error), "status": self._status}}

    async def step(self, step: Mapping[str, Any]) -> None:
        arguments = resolve(step.get("args", {}), self.saved)
        if verb := step.get("lab"):
            found = await self.asked(verb, arguments)
        elif step.get("later"):
            await self.client()
            task = asyncio.create_task(self.outcome(step, arguments))
            self._running[step["as"]] = task
            return
        elif step["call"] == "join":
            found = await self.joined(arguments["of"])
        else:
            found = await self.outcome(step, arguments)
        if name := step.get("as"):
            self.saved[name] = found

    async def asked(self, verb: str, arguments: Mapping[str, Any]) -> Any:
        try:
            return {"value": await ask_lab(verb, arguments)}
        except httpx2.HTTPError as error:
            return {"error": {"kind": "lab", "message": str(error)}}

    async def joined(self, name: str) -> Any:
        try:
            async with asyncio.timeout(90):
                return await self._running.pop(name)
        except asyncio.CancelledError:
            return {"error": {"kind": "cancelled"}}


def described(error: BaseException) -> dict[str, Any]:
    """Return the kind, code and message of an error of the library."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, MCPError):
        found = {"kind": "rpc", "code": error.code, "message": error.message}
        return {**found, "data": error.data}
    return {"kind": "other", "class": type(error).__name__, "message": str(error)}


def resolve(value: Any, saved: Mapping[str, Any]) -> Any:
    """Return the value behind `$name.path`; others as they are, inside lists and objects too."""
    if isinstance(value, str) and value.startswith("$"):
        found: Any = saved
        for name in value[1:].split("."):
            try:
                found = found[int(name)] if isinstance(found, list) else found[name]
            except (LookupError, TypeError, ValueError):
                return None
        return found
    if isinstance(value, dict):
        return {name: resolve(each, saved) for name, each in value.items()}
    return [resolve(each, saved) for each in value] if isinstance(value, list) else value


async def main() -> None:
    scenario = Scenario(members := json.load(sys.stdin))
    try:
        for step in members["steps"]:
            await scenario.step(step)
        print(json.dumps(scenario.saved), flush=True)
    finally:
        # Nothing of the client is needed any more, whose transport may have died.
        with contextlib.suppress(BaseException):
            async with asyncio.timeout(20):
                await scenario.close()
    os._exit(0)  # a transport that died leaves tasks, whose ends the loop would tell as errors


asyncio.run(main())
