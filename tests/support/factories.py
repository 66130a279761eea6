"""Short documents and executions."""

from collections.abc import Mapping
from typing import Any

from engine.executions.execution import Execution
from engine.executions.statuses import TERMINAL
from engine.graph.document import parse_document
from engine.store import Account, CompletionNotifier, Store
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.store.records import accept


class Graph:
    """Builder of documents: nodes by id, edges as 'source.output > target.input'."""

    def __init__(self, *fields: str) -> None:
        self.nodes: list[dict[str, Any]] = []
        self.edges: list[dict[str, Any]] = []
        if fields:
            listed = [{"name": name, "label": name, "type": "text"} for name in fields]
            self.node("in", "requestInput", fields=listed)

    def node(self, node_id: str, node_type: str, **data: Any) -> "Graph":
        """Add a node with these settings."""
        self.nodes.append({"id": node_id, "type": node_type, "data": data})
        return self

    def wire(self, *edges: str) -> "Graph":
        """Add edges."""
        for text in edges:
            (source, output), (target, socket) = (end.strip().split(".") for end in text.split(">"))
            self.edges.append(
                {
                    "id": f"e{len(self.edges)}",
                    "source": source,
                    "sourceHandle": output,
                    "target": target,
                    "targetHandle": socket,
                }
            )
        return self

    def body(self, name: str = "Test workflow") -> dict[str, Any]:
        """Return the document as a client would send it."""
        return {"name": name, "nodes": self.nodes, "edges": self.edges}


def greeting(texts: int = 1) -> Graph:
    """Request input → `texts` text boxes in sequence → output."""
    graph = Graph("who")
    before = "in.who"
    for number in range(texts):
        graph.node(f"t{number}", "textBox", text="Hello {{a}}").wire(f"{before} > t{number}.a")
        before = f"t{number}.text-out"
    return graph.node("out", "responseOutput").wire(f"{before} > out.result-in")


def http_fan(url: str, count: int, **data: Any) -> Graph:
    """`count` parallel HTTP calls → output."""
    graph = Graph().node("out", "responseOutput")
    for number in range(count):
        graph.node(f"h{number}", "httpRequest", url=f"{url}?n={number}", **data)
        graph.wire(f"h{number}.response-out > out.result-in")
    return graph


def http_line(url: str, count: int, **data: Any) -> Graph:
    """`count` HTTP calls in sequence, each with the previous answer in its body."""
    graph = Graph()
    for number in range(count):
        graph.node(f"h{number}", "httpRequest", url=f"{url}?n={number}", method="POST", **data)
        if number:
            graph.wire(f"h{number - 1}.response-out > h{number}.body-in")
    last = f"h{count - 1}.response-out"
    return graph.node("out", "responseOutput").wire(f"{last} > out.result-in")


class Runner:
    """Saves documents and runs them as a gateway would."""

    def __init__(self, store: Store, account: Account, notifier: CompletionNotifier) -> None:
        self.store = store
        self.account = account
        self.notifier = notifier

    async def save(self, graph: Graph) -> str:
        """Save as a workflow; return its slug."""
        document = parse_document(graph.body())
        return (await self.store.workflows.create(self.account.id, document, [])).slug

    async def begin(
        self, slug: str, inputs: Mapping[str, Any] | None = None, **options: Any
    ) -> str:
        """Accept an execution, with options of `accept`; return its id."""
        workflow, plan = await self.store.workflows.plan(slug)
        assert plan is not None
        options = {"key_id": "key", "notifier": self.notifier.channel, **options}
        accepted = await accept(self.store, self.account, workflow, plan, inputs, **options)
        return accepted.id

    async def end(self, execution_id: str, seconds: float = PATIENCE_SECONDS) -> Execution:
        """Return the execution, once it has ended."""

        async def check() -> Execution | None:
            execution = await self.store.executions.get(self.account.id, execution_id)
            return execution if execution.status in TERMINAL else None

        with self.notifier.expecting(execution_id) as completion:
            execution = await check() or await completion.wait(check, seconds)
        assert execution is not None, "the execution did not end in time"
        return execution

    async def run(
        self,
        graph: Graph,
        inputs: Mapping[str, Any] | None = None,
        seconds: float = PATIENCE_SECONDS,
    ) -> Execution:
        """Save, run and wait."""
        return await self.end(await self.begin(await self.save(graph), inputs), seconds)
