"""Random nested graphs end as a plain interpreter predicts: children, fallbacks and errors."""

from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from engine.store.children.keys import open_children
from tests.support.eventually import eventually
from tests.support.factories import Runner
from tests.support.graphs.flow_oracle import Ambiguous, predict
from tests.support.graphs.flow_runs import assert_fits, begin_flow
from tests.support.graphs.flows import VALUES, Flow, flows
from tests.support.http.scripted_server import Target

pytestmark = pytest.mark.usefixtures("walker")
SUPPRESSED = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow)


@given(flow=flows(is_root=True), value=st.sampled_from(VALUES))
@settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    phases=(Phase.generate,),  # a shrink runs hundreds of flows
    suppress_health_check=SUPPRESSED,
)
async def test_every_flow_ends_as_predicted(
    runner: Runner, target: Target, flow: Flow, value: Any
) -> None:
    try:
        expected = predict(flow, {"x": value})
    except Ambiguous:
        assume(False)

    execution_id = await begin_flow(runner, flow, {"x": value}, f"{target.url}/slow/0.02")
    execution = await runner.end(execution_id)

    await assert_fits(runner, execution, expected)
    key = open_children(runner.account.id)
    count = partial(runner.store.client.send, "ZCARD", key)
    await eventually(count, lambda left: left == 0)
