"""Every id in path, query and body of every call: an object of another account is as unknown.

The calls come from the table of routes, and the places of ids from the OpenAPI types. A route that
is added is tried here; a parameter or member that is added fails the first test until somebody has
said whether it names an object.
"""

import re
from collections.abc import Callable, Mapping

import pytest

from tests.gateway.matrix.conftest import Caller, Owner
from tests.support.gateway.matrix.calls import CALLS, Call
from tests.support.gateway.matrix.objects import SHARED, UNKNOWN, ask, comparable
from tests.support.gateway.matrix.places import Place, places, unknown_places, unknown_settings

pytestmark = pytest.mark.A10

STREAM = "/api/events"
UUIDS = frozenset(
    {"batch_id", "delivery_id", "execution_id", "occurrence_id", "replay_id", "test_run_id"}
)
"""Kinds whose ids look alike."""
OWNED = [kind for kind in UNKNOWN if kind not in SHARED]
FOR_ADMINS = "session of an admin"
PASSING = re.compile(
    r"expires=\d+|signature=[\w-]+"
    r'|"(?:expiresAt|lastUsedAt|lastSeenAt)":[^,}]+|"runsPerMinute":{[^}]*}'
)
"""Parts of answers that change by reading them: signed links, windows and times of the last use."""
LISTS = [
    call
    for call in CALLS
    if call.method == "GET" and "{" not in call.path and call.path != STREAM and call.is_guarded
]
READS = [
    call
    for call in CALLS
    if call.method == "GET" and call.is_guarded and call.requirement != FOR_ADMINS
]
METHODS = ("GET", "POST", "PATCH", "DELETE", "PUT")
"""Writes that make objects come last: they may give them the ids that are tried."""
CANCEL = "POST /api/executions/cancel"
EXISTS_NOT = "an idempotent write makes or removes it, for whoever asks"
SHELL = "every visitor gets the same page, which holds nothing of an object"
LATER = "it is looked up when the test runs"
NO_RUN = "no execution of one is begun without a worker"
BLIND = {
    "GET /api/workflows/{slug}/public-schema path slug": "the workflow is not public",
    "GET /app/batches/{batch_id} path batch_id": SHELL,
    "GET /app/editor/{slug} path slug": SHELL,
    "GET /app/executions/{execution_id} path execution_id": SHELL,
    "GET /app/playground/{slug} path slug": SHELL,
    "GET /app/replays/{replay_id} path replay_id": SHELL,
    "GET /app/triggers/{trigger_id} path trigger_id": SHELL,
    "GET /app/workflows/{slug}/releases path slug": SHELL,
    "GET /media/{asset_id} path asset_id": "a link is good by its signature alone",
    "GET /api/executions query batch_id": NO_RUN,
    "GET /api/executions query trigger_id": NO_RUN,
    f"{CANCEL} body batch_id": NO_RUN,
    f"{CANCEL} body trigger_id": NO_RUN,
    "GET /api/ledger query execution_id": "the run was free",
    "POST /api/models/{internal_name}/try body asset_id": "the owner is no admin",
    "POST /api/api-keys body slug": "a key may be for a workflow that comes later",
    "PUT /api/secrets/{secret_name} path secret_name": EXISTS_NOT,
    "DELETE /api/secrets/{secret_name} path secret_name": EXISTS_NOT,
    "PUT /api/workflows/{slug}/aliases/{alias_name} path alias_name": EXISTS_NOT,
    "PUT /api/workflows/{slug}/tests/{test_name} path test_name": EXISTS_NOT,
    "PUT /api/workflows/{slug}/tests/{test_name} body asset_id": LATER,
    "PUT /api/workflows/{slug}/tests/{test_name} body slug": LATER,
}
"""Places where an own id is answered like an unknown one, with the reason."""


def test_the_matrix_knows_all_that_names_an_object() -> None:
    assert unknown_places() == []
    assert unknown_settings() == []


def in_order(*methods: str) -> list[Place]:
    """Return the places by method; those of inner objects come first."""

    def rank(place: Place) -> tuple[int, int]:
        call = place.request.call
        return methods.index(call.method), -call.path.count("/")

    return sorted(places(), key=rank)


async def seen_by(owner: Owner) -> dict[str, str]:
    """Return all that the owner reads, by call."""
    found = {}
    for call in READS:
        answer = await ask(owner.client, method="GET", url=call.path.format(**owner.ids))
        found[str(call)] = PASSING.sub("…", answer.text)
    return found


@pytest.mark.A12
@pytest.mark.A13
@pytest.mark.A92
async def test_an_id_of_another_account_is_as_unknown_as_none(
    owner: Owner, caller: Caller, record_property: Callable[[str, object], None]
) -> None:
    differences, pairs = [], 0
    await seen_by(owner)  # the first look writes the allowance into the ledger
    before = await seen_by(owner)

    for place in in_order(*METHODS):
        foreign, unknown = [await answer_to(caller, place, named) for named in (owner.ids, UNKNOWN)]
        pairs += 1
        if foreign != unknown:
            differences.append((str(place), foreign, unknown))

    assert differences == []
    after = await seen_by(owner)
    assert {call: after[call] for call in before if after[call] != before[call]} == {}
    record_property("pairs_of_answers", pairs)


@pytest.mark.parametrize("caller", ["key", "session of an admin"], indirect=True)
async def test_an_id_of_another_kind_is_as_unknown_as_none(owner: Owner, caller: Caller) -> None:
    alike = [place for place in in_order(*METHODS) if place.kind in UUIDS]

    for place in alike:
        unknown = await answer_to(caller, place, UNKNOWN)
        for kind in UUIDS - {place.kind}:
            named = {place.kind: owner.ids[kind]}
            assert await answer_to(caller, place, named) == unknown, (str(place), kind)


@pytest.mark.parametrize("caller", ["key", "session of an admin"], indirect=True)
async def test_a_cursor_of_another_account_leads_to_no_row_of_it(
    owner: Owner, caller: Caller
) -> None:
    await owner.maker.make_more()
    paged = [call for call in LISTS if has_cursor(call) and call.requirement != FOR_ADMINS]
    tried = 0

    for call in paged:
        page = (await owner.client.get(call.path, params={"limit": 1})).json()
        cursor = page.get("nextCursor") if isinstance(page, dict) else None
        if cursor is not None:
            answer = await caller.client.get(call.path, params={"cursor": cursor})
            shown = [each for each in OWNED if owner.ids[each] in answer.text]
            assert shown == [], (call, answer.text)
            tried += 1

    assert tried >= 3


async def test_an_own_id_is_found_at_each_place(owner: Owner) -> None:
    blind = set()

    for place in in_order("GET", "POST", "PATCH", "PUT", "DELETE"):
        if str(place.request.call) == CANCEL:
            await owner.maker.begin()
        own, unknown = [await answer_to(owner, place, named) for named in (owner.ids, UNKNOWN)]
        if own == unknown:
            blind.add(str(place))

    assert blind == BLIND.keys()


async def test_no_list_has_an_object_of_another_account(owner: Owner, caller: Caller) -> None:
    for call in LISTS:
        answer = await caller.client.get(call.path)
        found = {kind for kind in OWNED if owner.ids[kind] in answer.text}
        assert found == set() or call.requirement == FOR_ADMINS, call


def has_cursor(call: Call) -> bool:
    """Return whether a list comes in pages."""
    query = call.operation.query if call.operation else None
    return query is not None and "cursor" in query.__struct_fields__


async def answer_to(caller: Caller | Owner, place: Place, named: Mapping[str, str]) -> object:
    """Return the answer to a request that names an object at a place, in comparable form."""
    answer = await ask(caller.client, **place.arguments(caller.ids, named))
    return comparable(answer, named[place.kind])
