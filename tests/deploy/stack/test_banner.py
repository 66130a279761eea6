"""The banner of `headrace up`."""

from pathlib import Path

import pytest

from deploy.stack.banner import SignIn, banner, data_places, restart_command

URL = "http://127.0.0.1:8000"


@pytest.fixture(autouse=True)
def _called(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", [".venv/bin/headrace", "up", "--data-dir", "my data"])


def test_a_stack_shows_its_pages_a_link_its_data_and_how_to_stop_it(tmp_path: Path) -> None:
    data_dir = tmp_path / ".headrace"
    sign_in = SignIn(link=f"{URL}/login?token=hr_login_x", account_id="acc_1")

    assert banner(URL, data_dir, {}, sign_in).splitlines() == [
        f"Pages     {URL}  (the API: {URL}/docs)",
        f"Sign in   {URL}/login?token=hr_login_x",
        "          (once, within ten minutes; another: "
        ".venv/bin/headrace login-link --account acc_1)",
        f"Data      {data_dir}",
        "Stop      Ctrl-C",
    ]


def test_without_an_account_of_the_demonstration_there_is_no_link(tmp_path: Path) -> None:
    assert "Sign in" not in banner(URL, tmp_path, {}, None)


def test_a_demo_provider_is_told_and_what_it_does_not_replace(tmp_path: Path) -> None:
    all_replaced = banner(URL, tmp_path, {}, None, ())
    some = banner(URL, tmp_path, {}, None, ("FAL_KEY", "OPENAI_API_KEY"))

    demo = "Models    DEMO: a stub makes the answers up; no real model is asked"
    real = "          (except where you have set FAL_KEY, OPENAI_API_KEY: those calls are real)"
    assert demo in all_replaced.splitlines()
    assert "except" not in all_replaced
    assert f"{demo}\n{real}\n" in some
    assert "DEMO" not in banner(URL, tmp_path, {}, None)


def test_the_command_for_another_link_names_a_data_directory_that_is_not_the_usual_one(
    tmp_path: Path,
) -> None:
    sign_in = SignIn(link=URL, account_id="acc_1")

    shown = banner(URL, tmp_path / "my data", {}, sign_in)

    assert f"--account acc_1 --data-dir '{tmp_path}/my data')" in shown


def test_places_of_data_outside_of_the_folder_are_named_by_their_settings(tmp_path: Path) -> None:
    environ = {
        "HEADRACE_REDIS_URL": "redis://:password@10.0.0.9",
        "HEADRACE_MEDIA_URL": "s3://bucket/media",
    }

    assert data_places(tmp_path, {}) == str(tmp_path)
    assert data_places(tmp_path, environ) == (
        f"{tmp_path} and the Redis of HEADRACE_REDIS_URL and HEADRACE_MEDIA_URL"
    )


def test_the_command_that_starts_again_is_the_one_that_was_typed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    as_script = restart_command()
    monkeypatch.setattr("sys.argv", ["/site/deploy/__main__.py", "up", "--no-demo"])
    as_module = restart_command()

    assert as_script == ".venv/bin/headrace up --data-dir 'my data'"
    assert as_module == "headrace up --no-demo"
