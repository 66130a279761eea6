"""`headrace model`: manifests are checked line by line, listed, and tried with one call."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from deploy.commands.models import model
from engine.models.registry import use_folder
from tests.support.http.providers import ENDPOINT, KEY, stub_provider
from tests.support.manifests import manifest

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    (tmp_path / "mine.toml").write_text(manifest("mine"))
    return tmp_path


def command(*words: str) -> Result:
    try:
        return CliRunner().invoke(model, list(words))
    finally:
        use_folder("")


def test_a_right_manifest_is_said_to_be_right(own: Path) -> None:
    done = command("check", str(own / "mine.toml"))

    assert (done.exit_code, done.output) == (0, "1 right: mine\n")


def test_all_that_is_wrong_in_a_folder_is_told_with_file_and_line(own: Path) -> None:
    (own / "a.toml").write_text(manifest("a", tier="gold"))
    (own / "b.toml").write_text('internalName = "b"\nname = \n')

    done = command("check", str(own))

    assert done.exit_code == 1
    assert done.stderr.splitlines() == [
        f"{own}/a.toml:4: tier must be one of free, creator, pro, business, enterprise",
        f"{own}/b.toml:2: this is not TOML: Invalid value",
    ]


def test_of_two_files_with_one_name_the_first_is_named(own: Path) -> None:
    (own / "zz.toml").write_text(manifest("mine"))

    done = command("check", str(own))

    assert (done.exit_code, done.stderr) == (
        1,
        f"{own}/zz.toml: internalName 'mine' is taken by mine.toml\n",
    )


def test_a_folder_without_manifests_is_not_right(tmp_path: Path) -> None:
    done = command("check", str(tmp_path))

    assert done.exit_code == 1
    assert str(done.exception) == f"There is no manifest in {tmp_path}: their names end in .toml."


def test_a_folder_that_is_not_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = tmp_path / "nowhere"
    named = command("list", "--models-dir", str(nowhere))
    monkeypatch.setenv("HEADRACE_MODELS_DIR", str(nowhere))
    set_ = command("list", "--data-dir", str(tmp_path))

    assert (named.exit_code, "does not exist" in named.stderr) == (2, True)
    assert f"{nowhere}: No such file or directory" in set_.stderr.splitlines()
    assert "claude-haiku" in set_.stdout


def test_a_wrong_file_by_itself_is_told_likewise(own: Path) -> None:
    (own / "a.toml").write_bytes(b"\xff")

    done = command("check", str(own / "a.toml"))

    assert (done.exit_code, done.stderr) == (1, f"{own}/a.toml: is not UTF-8\n")


def test_the_table_of_models_that_ship_is_the_one_of_today() -> None:
    done = command("list", "--markdown")

    page = (REFERENCE / "models.md").read_text()
    assert page[page.index("| Model ") :] == done.output


def test_a_price_without_a_page_is_the_operators_to_set(own: Path) -> None:
    head = 'source = "https://a.example/api"\npriceSource = "https://a.example/prices"\n'
    call = '[openai]\nbase_url = "https://a.example/v1"\nmodel = "m"\n'
    (own / "known.toml").write_text(manifest("known", head=head, call=call))
    (own / "unknown.toml").write_text(manifest("unknown", call=call))

    done = command("list", "--models-dir", str(own), "--markdown")

    rows = {line.split("`")[1]: line.split(" | ")[4:] for line in done.output.splitlines()[2:]}
    api, prices = "[page](https://a.example/api)", "[page](https://a.example/prices) |"
    assert rows["known"] == ["0.010 per call", api, prices]
    assert rows["unknown"] == ["0.010 per call", "not named", "**yours to set** |"]
    assert rows["mine"] == ["0.010 per call", "ours", "ours |"]


def test_a_folder_of_ones_own_is_listed_too(own: Path) -> None:
    done = command("list", "--models-dir", str(own), "--json")

    names = [row["internalName"] for row in json.loads(done.stdout)]
    assert {"mine", "echo"} <= set(names)


def test_without_a_stack_it_is_said_that_saved_models_are_left_out(own: Path) -> None:
    listed = command("list", "--data-dir", str(own))
    tried = command("try", "echo", "-i", "prompt=x", "--data-dir", str(own))

    sentence = f"Models that were saved over HTTP are left out. No stack runs on {own}: start one"
    assert [done.stderr.startswith(sentence) for done in (listed, tried)] == [True, True]
    assert [done.exit_code for done in (listed, tried)] == [0, 0]


def test_without_a_stack_the_variables_of_this_shell_say_which_models_can_be_called(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = '[openai]\nbase_url = "https://a.example/v1"\nmodel = "m"\napi_key_env = "A_KEY"\n'
    (own / "keyed.toml").write_text(manifest("keyed", call=call))
    words = ("list", "--models-dir", str(own), "--data-dir", str(own))

    without = command(*words)
    monkeypatch.setenv("A_KEY", "sk-one")
    keyed = command(*words)

    reported = "The provider's key is not set up: set A_KEY and start the workers again"
    rows = [
        next(line for line in done.stdout.splitlines() if line.startswith("keyed "))
        for done in (without, keyed)
    ]
    assert (rows[0].endswith(reported), rows[1].endswith(" yes")) == (True, True)
    assert "sk-one" not in keyed.output


def test_a_wrong_file_is_told_beside_the_models_that_are_right(own: Path) -> None:
    (own / "a.toml").write_text(manifest("a", tier="gold"))

    done = command("list", "--models-dir", str(own), "--json")

    assert "mine" in [row["internalName"] for row in json.loads(done.stdout)]
    assert done.stderr.splitlines()[0].startswith(f"{own}/a.toml:4: tier must be one of free")


def test_a_model_is_tried_with_one_call(own: Path) -> None:
    done = command("try", "mine", "-i", "prompt=cats", "--models-dir", str(own), "--json")

    assert json.loads(done.stdout) == {"result": "<cats>", "usd": 0.01, "used": {"calls": 1}}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("nobody",), "There is no model 'nobody' here."),
        (("mine",), "'prompt' is required."),
        (("mine", "-i", "prompt=x", "-i", "colour=red"), "'colour' unknown field."),
    ],
)
def test_what_cannot_be_tried_is_told_in_a_sentence(
    own: Path, words: tuple[str, ...], sentence: str
) -> None:
    done = command("try", *words, "--models-dir", str(own))

    assert done.exit_code == 1
    assert str(done.exception) == sentence


def test_a_model_whose_key_is_not_here_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)

    done = command("try", "gpt", "-i", "prompt=x")

    assert str(done.exception) == "OPENAI_API_KEY is not set, which holds the provider's key."


def test_a_model_that_is_nowhere_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HEADRACE_LOCAL_MODEL_URL", raising=False)
    monkeypatch.setenv("HEADRACE_DATA_DIR", str(tmp_path))  # a stack of this clone may run

    done = command("try", "local-text", "-i", "prompt=x")

    assert "headrace up --local" in str(done.exception)


def test_a_model_is_tried_with_an_image_from_where_nodes_may_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    with stub_provider() as url:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{url}/v1")
        image = f"image={url}/files/0123456789abcdef-8x8.png"
        words = ("try", "gpt-image", "-i", "prompt=A cat", "-i", image, "--json")
        refused = command(*words)
        monkeypatch.setenv("HEADRACE_ALLOW_PRIVATE_URLS", "1")
        done = command(*words)

    assert str(refused.exception).startswith("url_blocked: ")
    assert json.loads(done.stdout)["result"].endswith(" bytes of image/png)")


def test_a_text_is_shown_as_it_comes_without_what_would_move_the_cursor(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROVIDER_KEY", KEY)
    call = f'[openai]{ENDPOINT}model = "any"\n'
    (own / "chat.toml").write_text(manifest("chat", call=call))
    words = ("try", "chat", "-i", "prompt=one\ntwo \x1b[2J", "--models-dir", str(own), "--json")

    with stub_provider() as url:
        monkeypatch.setenv("PROVIDER_URL", f"{url}/v1")
        whole, watched = command(*words), command(*words, "--watch")

    assert json.loads(watched.stdout) == json.loads(whole.stdout)
    assert json.loads(watched.stdout)["result"] == "(stub) one\ntwo \x1b[2J"
    assert watched.stderr == whole.stderr + "(stub) one\ntwo \N{REPLACEMENT CHARACTER}[2J\n"


def test_the_schema_is_printed() -> None:
    assert json.loads(command("schema").output)["title"] == "Headrace model manifest"
