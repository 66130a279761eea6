"""Check of a workflow's graph for an editor: problems, sockets and estimate. Saves nothing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from engine.billing.credits import MAX_CREDITS, estimate_nodes
from engine.billing.inner_costs import per_item_nodes
from engine.errors import InvalidInputs
from engine.graph.bodies import Elements, graph_size
from engine.graph.inner_plans import NO_PLANS, InnerPlans
from engine.graph.parsed import ParsedGraph, Problem
from engine.graph.plan import Plan, plan_sound_part
from engine.nodes.request_input import RequestInputSettings
from engine.services.runs.inner_plans import find_inner_plans
from engine.services.secrets import check_secrets
from engine.services.workflows.callees import resolve_callees
from engine.services.workflows.graph_checks import GraphChecker
from engine.services.workflows.public_checks import check_public
from engine.services.workflows.save_workflow import check_uploads
from engine.services.workflows.schema_checks import check_schema
from engine.store import Store
from engine.values.fields import check_inputs


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowCheck:
    """Result of a check."""

    problems: Sequence[Problem]
    sockets: Mapping[str, Any]
    """Sockets of each node by its id in the format of the API, even with invalid settings."""
    costs: Mapping[str, int]
    """Highest cost of each charged node in credits, by its id."""
    per_item: Sequence[str] = ()
    """Ids of the nodes of which the cost is that of one item."""

    def as_dict(self) -> dict[str, Any]:
        """Return the result in the format of the API."""
        return {
            "problems": [problem.as_detail() for problem in self.problems],
            "sockets": self.sockets,
            "estimate": {
                "total": min(sum(self.costs.values()), MAX_CREDITS),
                "byNode": self.costs,
                "isPerItem": list(self.per_item),
            },
        }


async def check_workflow(
    store: Store,
    account_id: str,
    nodes: Elements,
    edges: Elements,
    *,
    markup: Decimal,
    checker: GraphChecker,
    inputs: Mapping[str, Any] | None = None,
    slug: str | None = None,
    is_public: bool = False,
) -> WorkflowCheck:
    """Check a graph, with the account's assets and secrets; a large one in a thread.

    The estimate is for a run with `inputs`; without them, their defaults count. `slug` is that of
    the graph's workflow; without it, calls that lead back to it are not found. Raises Unavailable
    where its expressions cannot be checked now.
    """
    callees = await resolve_callees(store, account_id, nodes, slug)
    graph = await checker.examine(account_id, nodes, edges, callees)
    inner = await find_inner_plans(store, account_id, callees)
    work = partial(check_graph, graph, markup, checker.allow_private, inputs, inner)
    computed = await checker.compute(account_id, graph_size(nodes, edges), work)
    uploads = await check_uploads(store, account_id, nodes)
    secrets = await check_secrets(store, account_id, nodes)
    waiting = check_schema(store.schema, nodes, edges)
    public = await check_public(store, account_id, nodes, callees, slug=slug, is_public=is_public)
    return WorkflowCheck(
        problems=(
            *computed.problems,
            *waiting,
            *uploads,
            *secrets,
            *public,
        ),
        sockets=computed.sockets,
        costs=computed.costs,
        per_item=computed.per_item,
    )


def check_graph(
    graph: ParsedGraph,
    markup: Decimal,
    allow_private: bool = False,
    inputs: Mapping[str, Any] | None = None,
    inner: InnerPlans = NO_PLANS,
) -> WorkflowCheck:
    """Estimate an examined graph, and check its inputs, without the account's assets.

    The estimate of a graph with problems counts the nodes and edges without any, and the plans in
    `inner` for the workflows that it calls.
    """
    plan = plan_sound_part(graph)
    wrong = {} if inputs is None else dict(_input_faults(plan, inputs, allow_private))
    given = None if inputs is None else _fill(plan, inputs, wrong)
    return WorkflowCheck(
        problems=(*graph.problems, *_input_problems(graph, wrong)),
        sockets=graph.shown_sockets(),
        costs=estimate_nodes(plan, markup, given, inner),
        per_item=per_item_nodes(plan, inner),
    )


def _input_faults(
    plan: Plan, inputs: Mapping[str, Any], allow_http: bool
) -> Iterator[tuple[str, InvalidInputs]]:
    """Yield the inputs that a run would refuse, by name."""
    known = {field.name: field for field in plan.fields}
    for name in (*known, *(each for each in inputs if each not in known)):
        try:
            check_inputs(
                [known[name]] if name in known else [],
                {name: inputs[name]} if name in inputs else {},
                strict=plan.strict_inputs,
                allow_http=allow_http,
                allow_assets=True,
                allow_nul=not plan.has_expressions,
            )
        except InvalidInputs as error:
            yield name, error


def _fill(
    plan: Plan, inputs: Mapping[str, Any], wrong: Mapping[str, InvalidInputs]
) -> dict[str, Any]:
    """Return the inputs of a run, with defaults for missing and invalid ones."""
    return {
        field.name: inputs[field.name]
        if field.name in inputs and field.name not in wrong
        else field.default
        for field in plan.fields
    }


def _input_problems(graph: ParsedGraph, wrong: Mapping[str, InvalidInputs]) -> Iterator[Problem]:
    forms = (
        node.id for node in graph.nodes.values() if isinstance(node.settings, RequestInputSettings)
    )
    node_id = next(forms, None)
    for name, error in wrong.items():
        yield Problem(reason=str(error), node_id=node_id, field=f"inputs.{name}")
