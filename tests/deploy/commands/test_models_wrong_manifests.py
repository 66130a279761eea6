"""`headrace model check` on shipped manifests with one mistake each: file, line and reason."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from deploy.commands.models import model

SHIPPED = Path(__file__).parents[3] / "engine" / "models" / "shipped"
NUMBER = "must be a whole number from 1 to"
NO_LINE = "There must be exactly one section"
"""The position of a whole file."""
TOLD = re.compile(r"(?:(\d+):)? (.*)")
MISTAKES = [
    # file, right text, wrong text in its place, reason
    (
        "gpt",
        'internalName = "gpt"',
        'internalName = "gpt five"',
        "internalName must be a text of 1",
    ),
    ("gpt", 'name = "GPT', 'name = " GPT', "name must be a text of 1 to 100 characters"),
    ("gpt", 'category = "text"', 'category = "words"', "category must be one of text, image"),
    ("gpt", 'tier = "creator"', 'tier = "gold"', "tier must be one of free, creator"),
    ("gpt", 'tier = "creator"', 'tier = "creator"\nenabled = 1', "enabled must be true or false"),
    ("gpt", 'tier = "creator"', 'tier = "creator"\ncolour = 1', "colour is unknown; known: "),
    ("gpt", 'source = "', "source = 5 # ", "source must be a text of at most 500"),
    ("gpt", 'fallback = ["gpt-mini"]', 'fallback = ["gpt"]', "fallback must be a list of at most"),
    ("gpt", 'type = "image"', 'type = "picture"', "fields[2].type must be one of"),
    ("gpt", 'name = "system"', 'name = "prompt"', "fields has the name 'prompt' more than once"),
    ("gpt", "maxLength = 20000", "maxLength = 0", "fields[1].maxLength must be a whole number"),
    ("gpt", "default = 8192", "default = 0", "fields[4].default "),
    ("gpt", "default = 8192", "defualt = 8192", "fields[4].defualt is unknown; known: name"),
    ("gpt", "max = 16000", "max = -1", "fields[4].min "),
    ("gpt", 'unit = "input_token"', 'unit = "token"', "pricing[0].unit must be one of call"),
    ("gpt", 'unit = "output_token"', 'unit = "input_token"', "pricing[1].unit 'input_token' has a"),
    (
        "gpt",
        'usd = "0.00001"',
        "usd = 0.00001",
        "pricing[1].usd must be a decimal number in quotes",
    ),
    ("gpt", "atMost = 50000", "atMost = 0", f"pricing[0].atMost {NUMBER}"),
    ("gpt", "atMost = 50000\n", "\n", "pricing[0].unit 'input_token' needs field or atMost"),
    ("gpt", "atMost = 50000", "atMost = 5\nperImage = 0.5", f"pricing[0].perImage {NUMBER}"),
    ("gpt", 'field = "maxTokens"', 'field = "words"', "pricing[1].field must name a number field"),
    ("gpt", 'base_url = "https', 'base_url = "ftp', "openai.base_url: "),
    ("gpt", "/v1", "/v1/", "openai.base_url must end before any '?' or '#', and without '/'"),
    ("gpt", 'api_key_env = "O', 'api_key_env = "o', "openai.api_key_env must be the name of an en"),
    ("gpt", 'model = "gpt-6-sol"', "", "openai.model is missing"),
    (
        "gpt",
        '"{{ effort }}"',
        '"{{ zeal }}"',
        "openai.body has 'zeal', and no field is called that",
    ),
    ("gpt", '"{{ effort }}"', '"{{ effort"', "openai.body.reasoning_effort: the '{{' at character"),
    ("gpt", "[openai]", "[openai]\ntimeout_seconds = 0", "openai.timeout_seconds must be a number"),
    ("gpt", "[openai]", '[openai]\nstream = "no"', "openai.stream must be true or false"),
    ("gpt", "[openai]", '[openai]\nmodle = "x"', "openai.modle is unknown; known: "),
    ("gpt", "[openai]", "[openai\n", "this is not TOML: "),
    ("suno", "requests_per_minute = 120", "requests_per_minute = 0", "limits.requests_per_minute "),
    ("suno", 'path = "/api/v1/generate"', 'path = "api"', "http.path must begin with '/'"),
    ("suno", 'result = "data.response', 'result = "data..response', "http.result "),
    ("suno", 'base_url = "https', "base_url = 1 #", "http.base_url must be a text of 1 to 500"),
    ("kling", 'done = ["COMPLETED"]', "done = []", "http.job.done must be a list of at least one"),
    ("kling", 'id = "request_id"', "", "http.job.id is missing"),
    ("kling", 'cancel_method = "PUT"', 'cancel_method = "KILL"', "http.job.cancel_method must be"),
    ("kling", "{{ job }}/cancel", "{{ jobs }}/cancel", "http.job.cancel_path has 'jobs', and no"),
    ("nano-banana", 'media = "base64"', 'media = "film"', "http.media must be one of url, base64"),
    ("nano-banana", 'key_header = "x-', 'key_header = "x ', "http.key_header "),
    ("echo", "[builtin]", "[bulitin]", "There must be exactly one section that says how it is"),
    ("echo", "[builtin]", '[builtin]\ngives = "hope"', "builtin.gives must be one of text, embe"),
    ("local-text", "keep_alive = false", 'keep_alive = "no"', "openai.keep_alive must be true or"),
]


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list[str]]]:
    """Return the report on all of them together, by file."""
    folder = tmp_path_factory.mktemp("wrong")
    for number, (name, right, wrong, _) in enumerate(MISTAKES):
        text = (SHIPPED / f"{name}.toml").read_text()
        assert right in text, f"{name} has no {right} any more"
        (folder / f"{number:02}.toml").write_text(text.replace(right, wrong, 1))

    done = CliRunner().invoke(model, ["check", str(folder)])

    assert done.exit_code == 1
    found: dict[str, list[str]] = {}
    for line in done.stderr.splitlines():
        file, _, rest = line.removeprefix(f"{folder}/").partition(".toml:")
        found.setdefault(file, []).append(rest)
    yield found


def place(text: str, position: int) -> range:
    """Return the lines from a position's table to the position, and one that is new."""
    lines = text[:position].split("\n")
    headers = [number for number, line in enumerate(lines, 1) if line.startswith("[")]
    return range(headers[-1] if headers else len(lines), len(lines) + 2)


@pytest.mark.parametrize("number", range(len(MISTAKES)))
def test_a_mistake_is_told_with_its_file_its_line_and_why(
    reported: dict[str, list[str]], number: int
) -> None:
    name, right, _, reason = MISTAKES[number]
    text = (SHIPPED / f"{name}.toml").read_text()

    (found,) = [line for line in reported[f"{number:02}"] if reason in line]

    line, sentence = TOLD.findall(found)[0]
    assert sentence.startswith(reason)
    assert reason.startswith(NO_LINE) == (line == "")
    if line and "more than once" not in reason:  # the report names the beginning of the fields
        assert int(line) in place(text, text.index(right))


def test_each_of_more_than_thirty_is_told_of(reported: dict[str, list[str]]) -> None:
    assert len(MISTAKES) > 30
    assert sorted(reported) == [f"{number:02}" for number in range(len(MISTAKES))]
