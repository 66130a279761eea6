"""Inbound webhooks as their owners manage them."""

from tests.support.contract.installation import Caller
from tests.support.contract.triggers import at, hook, invalid, make, refused, schedule

ROUTES = {"POST /api/triggers/{trigger_id}/rotate": "workflow:run and workflow:write"}


def test_rotate_gives_another_url(owner: Caller, slug: str) -> None:
    made = make(owner, hook(slug))

    answer = owner.post(at(made, "/rotate"))

    assert answer.status_code == 200
    rotated = answer.json()
    assert rotated["url"] != made["url"]
    assert len(rotated["url"]) == len(made["url"])
    assert rotated.keys() == made.keys()
    assert owner.get(at(made)).json() == rotated


def test_a_schedule_has_no_url_to_rotate(owner: Caller, slug: str) -> None:
    invalid(owner.post(at(make(owner, schedule(slug)), "/rotate")), "kind")


def test_someone_else_s_is_not_rotated(owner: Caller, slug: str, stranger: Caller) -> None:
    made = make(owner, hook(slug))

    refused(stranger.post(at(made, "/rotate")), 404, "TRIGGER_NOT_FOUND")
    assert owner.get(at(made)).json()["url"] == made["url"]
