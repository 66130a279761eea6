"""Manifests: members of valid ones, and all faults of invalid ones with lines."""

from decimal import Decimal

import pytest

from engine.access import capabilities
from engine.access.capabilities import Tier
from engine.errors import InvalidCapability
from engine.models.calls.call_sections import CALLS
from engine.models.dialects.builtin import BuiltinSection
from engine.models.manifest import (
    FIELD_MEMBERS,
    Category,
    Fault,
    ManifestError,
    Model,
    Trial,
    parse_manifest,
)
from engine.models.pricing import Price, Unit
from engine.values.fields import Field, FieldType, parse_fields
from engine.values.templates import Template
from tests.support.manifests import ANSWER, manifest, model

PER_SECOND = '[[pricing]]\nunit = "second"\nusd = "0.05"\nfield = "duration"\n'


def test_a_manifest_says_all_that_a_model_is() -> None:
    text = """
        internalName = "painter.v2_x-1"
        name = "Painter"
        category = "image"
        tier = "pro"
        enabled = false

        [[fields]]
        name = "prompt"
        label = "What to paint"
        type = "textarea"
        required = true

        [[pricing]]
        unit = "image"
        usd = "0.039"

        [[pricing]]
        unit = "input_token"
        usd = "0.00000015"
        atMost = 2_000

        [trial]
        runs = 3

        [builtin]
        template = "https://a.example/{{ prompt }}"
        """
    found = parse_manifest(text, "painter.toml")

    assert found == Model(
        manifest=text,
        internal_name="painter.v2_x-1",
        name="Painter",
        category=Category.IMAGE,
        fields=(
            Field(name="prompt", label="What to paint", type=FieldType.TEXTAREA, required=True),
        ),
        pricing=(
            Price(unit=Unit.IMAGE, usd=Decimal("0.039")),
            Price(unit=Unit.INPUT_TOKEN, usd=Decimal("0.00000015"), at_most=2_000),
        ),
        tier=Tier.PRO,
        trial=Trial(runs=3),
        enabled=False,
        call=BuiltinSection(template=Template.parse("https://a.example/{{ prompt }}")),
    )


def test_what_may_be_left_out_is_free_of_charge_enabled_and_without_a_trial() -> None:
    found = model(fields="", pricing="", call='[builtin]\ntemplate = "hello"')

    assert (found.fields, found.pricing, found.trial, found.enabled) == ((), (), None, True)


def test_a_trial_may_last_a_part_of_a_day() -> None:
    assert model(head="trial = {days = 0.5}").trial == Trial(days=0.5)


@pytest.mark.parametrize("category", list(Category))
def test_each_category_has_an_output_of_its_type(category: Category) -> None:
    assert category.socket.value == category.value


# -- wrong ones -----------------------------------------------------------------------------------


def faults(text: str) -> list[tuple[int | None, str]]:
    with pytest.raises(ManifestError) as raised:
        parse_manifest(text, "own.toml")
    assert raised.value.file == "own.toml"
    return [(fault.line, fault.reason) for fault in raised.value.faults]


def field(name: str, kind: str) -> str:
    return f'[[fields]]\nname = "{name}"\ntype = "{kind}"\n'


def price(**members: str) -> str:
    given = {"unit": '"call"', "usd": '"1"'} | members
    return "[[pricing]]\n" + "".join(f"{key} = {value}\n" for key, value in given.items())


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (manifest("a b"), 1, "internalName must be a text of 1 to 64"),
        (manifest(""), 1, "internalName must be"),
        (manifest(".a"), 1, "internalName must be"),
        (manifest("a" * 65), 1, "internalName must be"),
        (manifest("a:b"), 1, "internalName must be"),
        (manifest().replace('"own"', "1"), 1, "internalName must be"),
        (manifest().replace("A model", ""), 2, "name must be a text of 1 to 100"),
        (manifest().replace("A model", " A model"), 2, "name must be a text of 1 to 100"),
        (manifest().replace("A model", "A" * 101), 2, "name must be a text of 1 to 100"),
        (manifest(category="sound"), 3, "category must be one of text, image, video, audio"),
        (manifest(tier="gold"), 4, "tier must be one of free, creator, pro, business, enterprise"),
        (manifest(head='enabled = "yes"'), 5, "enabled must be true or false"),
        (manifest(head="colour = 1"), 5, "colour is unknown; known: internalName, name,"),
        (manifest(head='"a\\nb" = 1'), None, r"'a\nb' is unknown"),
        (manifest(fields="fields = 1"), 6, "fields must be a list of objects"),
        (
            manifest(fields='[[fields]]\nname = "prompt"\ntype = "word"'),
            8,
            "fields[0].type must be one of",
        ),
        (
            manifest(fields='fields = [{name = "prompt", type = "word"}]'),
            6,
            "fields[0].type must be one of",
        ),
        (
            manifest(fields='[[fields]]\nname = "prompt"\ntype = "text"\nmaxlength = 3'),
            9,
            "fields[0].maxlength is unknown; known: name, label, type",
        ),
        (
            manifest(fields=field("prompt", "text") + field("params", "text")),
            10,
            "fields[1].name 'params' is taken by the socket of that name",
        ),
        (
            manifest(head="pricing = 1", pricing=""),
            5,
            "pricing must be a list of tables, [[pricing]]",
        ),
        (manifest(head="pricing = [1]", pricing=""), 5, "pricing[0] must be a table, [[pricing]]"),
        (manifest(pricing=price(unit='"word"')), 12, "pricing[0].unit must be one of call, image"),
        (manifest(pricing=price(unit="[]")), 12, "pricing[0].unit must be one of call, image"),
        (manifest(pricing=price(usd="0.01")), 13, "pricing[0].usd must be a decimal number in"),
        (manifest(pricing=price(usd='"-1"')), 13, "pricing[0].usd must be a decimal number in"),
        (manifest(pricing=price(usd='"nan"')), 13, "pricing[0].usd must be a decimal number in"),
        (manifest(pricing=price(usd='"1e3"')), 13, "pricing[0].usd must be a decimal number in"),
        (manifest(pricing=price(usd='"1000.1"')), 13, "pricing[0].usd must be a decimal number"),
        (manifest(pricing=price(usd='"٣"')), 13, "pricing[0].usd must be a decimal number in"),
        (
            manifest(pricing=price(usd='"0.0000000000001"')),
            13,
            "pricing[0].usd must be a decimal number in",
        ),
        (manifest(pricing=price(cents="1")), 14, "pricing[0].cents is unknown; known: unit, usd"),
        (manifest(pricing=price() * 2), 15, "pricing[1].unit 'call' has a price already"),
        (manifest(pricing=price(atMost="2")), 12, "pricing[0].unit 'call' counts by itself"),
        (
            manifest(pricing=price(unit='"second"')),
            12,
            "pricing[0].unit 'second' needs field or atMost",
        ),
        (
            manifest(pricing=price(unit='"output_token"', atMost="0")),
            14,
            "pricing[0].atMost must be a whole number from 1 to 10000000",
        ),
        (
            manifest(pricing=price(unit='"image"', atMost="true")),
            14,
            "pricing[0].atMost must be a whole number from 1 to 10000000",
        ),
        (
            manifest(pricing=price(unit='"image"', atMost="2", field='"prompt"')),
            11,
            "pricing[0] has both field and atMost",
        ),
        (
            manifest(pricing=price(unit='"second"', field='"prompt"')),
            14,
            "pricing[0].field must name a number field with a max",
        ),
        (
            manifest(pricing=price(unit='"second"', field='"duration"')),
            14,
            "pricing[0].field must name a number field with a max",
        ),
        (
            manifest(pricing=price(unit='"second"', field="[]")),
            14,
            "pricing[0].field must name a number field with a max",
        ),
        (
            manifest(
                fields=field("duration", "number"),
                pricing=price(unit='"second"', field='"duration"'),
                call='[builtin]\ntemplate = "x"',
            ),
            13,
            "pricing[0].field must name a number field with a max",
        ),
        (
            manifest(
                fields=field("duration", "number") + "max = 0\n",
                pricing=price(unit='"second"', field='"duration"'),
                call='[builtin]\ntemplate = "x"',
            ),
            14,
            "pricing[0].field must name a number field with a max over 0",
        ),
        (manifest(head="trial = 1"), 5, "trial must be a table, [trial]"),
        (manifest(head="trial = {}"), 5, "trial must have exactly one of runs and days"),
        (manifest(head="trial = {runs = 1, days = 1}"), 5, "trial must have exactly one of"),
        (manifest(head="trial = {runs = 0}"), 5, "trial.runs must be a whole number from 1"),
        (manifest(head="trial = {runs = true}"), 5, "trial.runs must be a whole number from 1"),
        (manifest(head="trial = {days = 0}"), 5, "trial.days must be a number over 0"),
        (manifest(head="trial = {days = nan}"), 5, "trial.days must be a number over 0"),
        (manifest(head="trial = {days = 4000}"), 5, "trial.days must be a number over 0"),
        (manifest(head="trial = {days = 1, of = 2}"), 5, "trial.of is unknown; known: runs, days"),
        (manifest(call=""), None, "There must be exactly one section that says how it is called"),
        (manifest(head="builtin = 1", call=""), 5, "builtin must be a table, [builtin]"),
        (manifest(call="[builtin]"), 15, "builtin.template must be a text"),
        (manifest(call='[builtin]\ntemplate = ""'), 16, "builtin.template must be a text"),
        (manifest(call='[builtin]\ntemplate = "{{ a"'), 16, "builtin.template: the '{{' at char"),
        (
            manifest(call='[builtin]\ntemplate = "{{ topic }}"'),
            16,
            "builtin.template has 'topic', and no field is called that",
        ),
        (
            manifest(call='[builtin]\ntemplate = "x"\nurl = "y"'),
            17,
            "builtin.url is unknown; known: template",
        ),
    ],
)
def test_a_wrong_manifest_is_refused_with_line_and_reason(
    text: str, line: int | None, reason: str
) -> None:
    ((found, sentence),) = faults(text)

    assert sentence.startswith(reason)
    assert found == line


def test_all_that_is_wrong_is_said_at_once_each_on_a_line_of_its_own() -> None:
    text = manifest("a b", tier="gold", pricing=price(usd="1"), call="[builtin]")

    with pytest.raises(ManifestError) as raised:
        parse_manifest(text, "models/own.toml")

    assert [line.partition(" ")[0] for line in str(raised.value).split("\n")] == [
        "models/own.toml:1:",
        "models/own.toml:4:",
        "models/own.toml:13:",
        "models/own.toml:15:",
    ]


def test_a_fault_has_the_path_of_its_member() -> None:
    text = manifest(
        tier="gold", pricing=price(usd="1"), call="[http]\npath = 1\n[http.job]\nstatus = 2"
    )

    with pytest.raises(ManifestError) as raised:
        parse_manifest(text, "own.toml")

    paths = {fault.path for fault in raised.value.faults}
    assert {"tier", "pricing[0].usd", "http.path", "http.result", "http.job.status"} <= paths


def test_a_fault_of_the_whole_manifest_has_no_path() -> None:
    with pytest.raises(ManifestError) as raised:
        parse_manifest(manifest(call=""), "own.toml")

    assert [fault.path for fault in raised.value.faults] == [""]


def test_a_model_is_called_in_one_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CALLS, "other", CALLS["builtin"])

    ((_, reason),) = faults(manifest(call=ANSWER + ANSWER.replace("builtin", "other")))

    assert reason.endswith(
        "one section that says how it is called: [builtin], [openai], [anthropic], [http], [other]"
    )


def test_wrong_fields_are_not_blamed_on_what_names_them() -> None:
    text = manifest(
        fields=field("prompt", "word") + field("duration", "number"), pricing=PER_SECOND
    )

    assert [reason.partition(" ")[0] for _, reason in faults(text)] == ["fields[0].type"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("internalName = \n", 1),
        ('internalName = "a"\nname == 1\n', 2),
        ('internalName = "a"\ninternalName = "b"\n', 2),
        ("a = " + "[" * 5_000, None),
        ("a = " + "9" * 5_000, None),
    ],
)
def test_what_is_not_toml_is_refused_with_the_line_where_the_parser_names_one(
    text: str, line: int | None
) -> None:
    ((found, reason),) = faults(text)

    assert reason.startswith("this is not TOML: ")
    assert found == line
    assert "\n" not in reason and "line" not in reason


def test_lines_within_a_text_of_several_lines_are_not_taken_for_members() -> None:
    text = manifest(head='''unknown = """\ntier = "x"\ntier = "y"\n[builtin]\n"""\n''', tier="gold")

    assert [line for line, _ in faults(text)] == [5, 4]


def test_lines_that_only_look_like_members_are_not_taken_for_them() -> None:
    fields = '[[fields]]\nname = "prompt"\ntype = "pills"\nmin = "a"\noptions = [\n"min = 3",\n]\n'

    ((line, _),) = faults(manifest(head='# """', fields=fields))

    assert line == 9


def test_a_name_with_a_line_break_stays_within_its_line() -> None:
    text = manifest(fields='[[fields]]\nname = "prompt"\ntype = "text"\noptions = ["a\\nb"]')

    ((_, reason),) = faults(text.replace("options", 'default = "c"\noptions'))

    assert reason == "fields[0].default must be one of a b"


def test_a_fault_without_a_line_names_the_file_alone() -> None:
    error = ManifestError("own.toml", Fault(None, "is gone"), Fault(3, "is odd"))

    assert str(error) == "own.toml: is gone\nown.toml:3: is odd"


@pytest.mark.parametrize("name", ["echo", "a.B-c_1", "run", "0", "a b", "-a", "a/b", "", "a\n"])
def test_a_model_may_be_called_what_a_capability_can_name(name: str) -> None:
    try:
        capabilities.parse(f"model:{name}:run")
    except InvalidCapability:
        assert faults(manifest(name.replace("\n", "\\n")))
    else:
        assert model(name).internal_name == name


def test_the_members_of_a_field_are_those_that_fields_have() -> None:
    (full,) = parse_fields(
        [
            {"name": "a", "type": "slider", "default": 1, "options": [1], "helperText": "x"}
            | {"min": 0, "max": 2, "step": 1}
        ]
    )
    (text,) = parse_fields([{"name": "a", "type": "text", "maxLength": 3}])

    assert set(FIELD_MEMBERS) == set(full.as_dict()) | set(text.as_dict())
