"""The local model in `headrace up` and `headrace doctor`."""

from pathlib import Path

import pytest

from deploy.admin import checks
from deploy.admin.checks import check_local_model
from deploy.local_model import INSTALL, LocalModel, part, server
from deploy.net.http_client import Unreachable
from deploy.output.problems import CommandFailed
from deploy.stack.location import LOCAL_MODEL_URL, Stack


def test_without_the_runtime_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part, "is_installed", lambda: False)

    with pytest.raises(CommandFailed) as caught:
        LocalModel.prepare("", tmp_path)

    assert INSTALL in str(caught.value)


def test_its_part_serves_the_file_at_the_port_that_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part, "is_installed", lambda: True)
    own = tmp_path / "own.gguf"
    own.write_bytes(b"GGUF")

    model = LocalModel.prepare(str(own), tmp_path)

    with model.reserved:
        command = model.part(2, 7.5).command
        assert command[-4:] == (
            "deploy.local_model",
            str(own),
            str(model.reserved.getsockname()[1]),
            "7.5",
        )
        assert model.url == f"http://127.0.0.1:{model.reserved.getsockname()[1]}/v1"


@pytest.mark.parametrize(
    ("installed", "observed"),
    [(True, "not started: headrace up --local"), (False, f"not installed: {INSTALL}")],
)
async def test_the_doctor_says_how_to_have_one(
    monkeypatch: pytest.MonkeyPatch, installed: bool, observed: str
) -> None:
    monkeypatch.setattr(checks, "is_installed", lambda: installed)

    check = await check_local_model(Stack(data_dir=Path(), redis_url=""))

    assert check.is_well and check.seen.startswith(observed)


async def test_the_doctor_finds_one_that_does_not_answer() -> None:
    settings = {LOCAL_MODEL_URL: "http://127.0.0.1:1/v1"}

    check = await check_local_model(Stack(data_dir=Path(), redis_url="", settings=settings))

    assert not check.is_well
    assert check.seen == "http://127.0.0.1:1/v1 does not answer"


def test_a_server_that_is_busy_for_too_long_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    payload = []

    def busy(method: str, url: str, *, timeout: float) -> tuple[int, object]:
        payload.append(url)
        return 200, [{"is_processing": False}, {"is_processing": True}]

    monkeypatch.setattr(server, "call", busy)

    server.drain("http://h", 0.12)

    assert len(payload) > 1


@pytest.mark.parametrize("slots", [[], [{"is_processing": False}], {"error": "no slots"}, None])
def test_a_server_that_is_not_busy_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, slots: object
) -> None:
    def idle(*_: object, timeout: float) -> tuple[int, object]:
        if slots is None:
            raise Unreachable("gone")
        return 200, slots

    monkeypatch.setattr(server, "call", idle)
    monkeypatch.setattr("time.sleep", lambda _: pytest.fail("waited"))

    server.drain("http://h", 60)
