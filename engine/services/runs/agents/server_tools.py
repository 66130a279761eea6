"""List of the tools of a server as a target of runs: workers make outbound calls, gateways none."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import InvalidBody
from engine.executions.sources import Source
from engine.graph.draft_graph import DraftGraph
from engine.graph.plan import Plan
from engine.graph.seeding import seeded_statuses
from engine.net.url_policy import UrlRefused, check_url
from engine.nodes.agents.parts import TOOLS_OUT, one_node_graph
from engine.nodes.agents.tool_list import AgentTools
from engine.nodes.support.server_settings import SERVER, read_server
from engine.nodes.support.settings import Faults
from engine.services.runs.targets import Runnable
from engine.services.secrets import check_secrets
from engine.store import NewRun, Store
from engine.store.executions.start import Start, draft_fields
from engine.store.redis.record_packing import pack


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerToolsRun:
    """Run of one inner node, with the secret of the caller's account.

    Its record has the graph, like that of a draft without a workflow.
    """

    store: Store
    data: Mapping[str, Any]
    """Settings `server` and `auth` of the node."""
    allow_private: bool
    source = browser_source = Source.APP_DRAFT

    async def find(self, run: NewRun, *, fresh: bool) -> Runnable:
        """See `RunTarget.find`. Raises InvalidBody for wrong settings and an unknown secret."""
        self._check()
        part = one_node_graph(AgentTools.type, self.data, {}, TOOLS_OUT)
        problems = await check_secrets(self.store, run.account_id, part.nodes)
        for problem in problems:
            raise InvalidBody(problem.reason, field=problem.field)
        graph = DraftGraph(nodes=part.nodes, edges=part.edges)
        preparation = _Preparation(graph, graph.compile())
        return Runnable(plan=preparation.plan, make_start=preparation.make_start)

    def _check(self) -> None:
        faults = Faults()
        server = read_server(self.data, faults)
        for fault in faults.found:
            raise InvalidBody(fault.reason, field=fault.field)
        try:
            check_url(server.url, allow_private=self.allow_private)
        except UrlRefused as error:
            raise InvalidBody(f"{SERVER.name}: {error}", field=SERVER.name) from None


@dataclass(frozen=True, slots=True)
class _Preparation:
    graph: DraftGraph
    plan: Plan

    async def make_start(self, run: NewRun, inputs: Mapping[str, Any]) -> Start:
        """Return the start of the execution."""
        fields = draft_fields(pack(self.graph.as_record()), self.plan.names)
        return Start(statuses=seeded_statuses(self.plan, {}), fields=fields)
