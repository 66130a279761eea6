import contextlib
import json
import re
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors.nodes import NodeFailed, SettingsError
from engine.values.templates import MAX_OUTPUT_BYTES, Template
from tests.engine.values.test_plain import PLAIN
from tests.support.process.cpu_time import cpu_time


def render(text: str, **values: Any) -> str:
    return Template.parse(text).render(values)


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("", {}, ""),
        ("plain } { }} text", {}, "plain } { }} text"),
        ("{{name}} and {{ name }} and {{\tname\n}}", {"name": "x"}, "x and x and x"),
        ("{{ a.b[0].c }}", {"a": {"b": [{"c": "deep"}]}}, "deep"),
        ("{{ a[1][0] }}", {"a": [0, ["in"]]}, "in"),
        ("{{ a.0 }}", {"a": {"0": "digit"}}, "digit"),
        ("{{ body-in.größe }}", {"body-in": {"größe": "L"}}, "L"),
        ("{{ a }}", {"a": None}, ""),
        ("{{ a.b[3].c }}", {"a": None}, ""),
        ("{{ a.b }}", {}, ""),
        ("{{ a }}", {"a": True}, "true"),
        ("{{ a }}", {"a": 3}, "3"),
        ("{{ a }}", {"a": 1.5}, "1.5"),
        ("{{ a }}", {"a": {"k": ["é", None]}}, '{"k":["é",null]}'),
        ('{"v":{{ a }}}', {"a": [1, 2]}, '{"v":[1,2]}'),
        ("{{ a }}{{ b }}", {"a": "{{ b }}", "b": "{{ a }}"}, "{{ b }}{{ a }}"),
        ("{{ a }}", {"a": "{{ secret }}", "secret": "s"}, "{{ secret }}"),
        ("{{{ a }}}", {}, None),
    ],
)
def test_a_template_reads_as_the_contract_says(
    text: str, values: dict[str, Any], expected: str | None
) -> None:
    if expected is None:
        with pytest.raises(SettingsError):
            Template.parse(text)
    else:
        assert render(text, **values) == expected


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("{{ a.b }}", {"a": {}}),
        ("{{ a.b }}", {"a": "text"}),
        ("{{ a.b }}", {"a": [1]}),
        ("{{ a[0] }}", {"a": []}),
        ("{{ a[0] }}", {"a": "text"}),
        ("{{ a[0] }}", {"a": {"0": 1}}),
        ("{{ a[999999999] }}", {"a": [1]}),
        ("{{ a }}", {"a": "\ud800"}),
        ("{{ a }}", {"a": ["\ud800"]}),
    ],
)
def test_a_way_that_leads_nowhere_fails_the_node(text: str, values: dict[str, Any]) -> None:
    with pytest.raises(NodeFailed) as raised:
        render(text, **values)

    assert raised.value.code == "template_error"
    assert not raised.value.retryable


def test_the_names_are_those_of_the_sockets() -> None:
    assert Template.parse("{{ a.b }} {{ c[0] }} {{ a }}").names == {"a", "c"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("say {{ a b }}", "'{{ a b }}' at character 5 is not a placeholder"),
        ("{{ a", "the '{{' at character 1 has no '}}'"),
        ("{{ }}", "is not a placeholder"),
        ("{{ 1a }}", "is not a placeholder"),
        ("{{ a[-1] }}", "is not a placeholder"),
        ("{{ a[x] }}", "is not a placeholder"),
        ("{{ a. }}", "is not a placeholder"),
        ("{{ a.b( }}", "is not a placeholder"),
    ],
)
def test_what_is_no_placeholder_is_refused_with_its_place(text: str, expected: str) -> None:
    with pytest.raises(SettingsError) as raised:
        Template.parse(text)

    assert expected in raised.value.reasons[0]


SEEDS = [
    "''.__class__",
    "''.__class__.__mro__[1].__subclasses__()",
    "self.__init__.__globals__",
    "cycler.__init__.__globals__.os.popen('id').read()",
    "config.items()",
    "request|attr('application')",
    "x|safe",
    "x.format(y)",
    "'%s'%x",
    "7*7",
    "7 * '7'",
    "a+b",
    "a==b",
    "not a",
    "a if b else c",
    "[].append(1)",
    "range(10**9)",
    "lipsum.__globals__",
    "joiner.__init__",
    "namespace(x=1)",
    "#each items",
    "/each",
    ">partial",
    "&raw",
    "!comment",
    "this.constructor.constructor('return process')()",
    "constructor.constructor('alert(1)')()",
    "__proto__.polluted",
    "x.__proto__",
    "x.constructor.prototype",
    "x['__class__']",
    'x["a"]',
    "x[0:1]",
    "x[-1]",
    "x[[0]]",
    "x[0",
    "x]",
    "x..y",
    ".x",
    "x.y()",
    "x::y",
    "x->y",
    "x?.y",
    "x;y",
    "x,y",
    "x\\y",
    "x\x00y",
    "${jndi:ldap://a/b}",
    "{x}",
    "{{x}}",
    "a{{b}}c",
    "import os",
    "exec('x')",
    "lambda: 1",
    "f'{x}'",
    "x`y`",
    "$x",
    "@x",
    "#{x}",
    "<%= x %>",
    "{% include 'x' %}",
    "{# x #}",
    "x | upper",
    "x|attr('__class__')",
    "\u202ex",
    "x\u200by",
    "x\u2024y",
    "\uff3f\uff3fclass\uff3f\uff3f",
    "..",
    "../x",
    "/etc/passwd",
    "file:///etc/passwd",
    "env.SECRET",
    "process.env.HOME",
    "settings.redis_url",
]
FORMS = ["{{%s}}", "{{ %s }}", "{{{%s}}}", "{{-%s-}}", "${{%s}}", "%s", "{%%%s%%}", "<%%=%s%%>"]
PAYLOADS = [form % seed for seed in SEEDS for form in FORMS]


@pytest.mark.A49
def test_the_corpus_is_large_enough() -> None:
    assert len(set(PAYLOADS)) >= 500


@pytest.mark.A49
@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_payload_reaches_an_attribute(payload: str) -> None:
    try:
        template = Template.parse(payload)
        rendered = template.render(dict.fromkeys(template.names, "X"))
    except (SettingsError, NodeFailed):
        return

    literal = re.sub(r"\{\{ ?\w+ ?\}\}", "X", payload)
    assert rendered == literal


@pytest.mark.A49
@given(value=PLAIN)
def test_dunder_names_are_only_keys_of_the_data(value: Any) -> None:
    template = Template.parse("{{ x.__class__ }}")

    assert json.loads(template.render({"x": {"__class__": [value]}})) == [value]
    with pytest.raises(NodeFailed):
        template.render({"x": "text"})


@given(value=PLAIN, name=st.sampled_from(["a", "b-c", "__d"]))
def test_any_value_goes_in_as_text_or_json(value: Any, name: str) -> None:
    rendered = render(f"<{{{{ {name} }}}}>", **{name: value})[1:-1]

    if value is None:
        assert rendered == ""
    elif isinstance(value, str):
        assert rendered == value
    else:
        assert json.loads(rendered) == value


@pytest.mark.A50
@pytest.mark.parametrize(
    ("template", "values"),
    [
        ("{{ a }}" * 11, {"a": "x" * 100_000}),
        ("{{ a }}", {"a": "é" * 600_000}),
        ("{{ a }}" * 35_000, {"a": ["x" * 40]}),
        ("{{ a }}", {"a": "x" * 10_000_000}),
    ],
)
def test_the_output_is_bounded(template: str, values: dict[str, Any]) -> None:
    with pytest.raises(NodeFailed) as raised:
        render(template, **values)

    assert raised.value.code == "template_error"
    assert str(MAX_OUTPUT_BYTES) in raised.value.message


@pytest.mark.A50
def test_the_largest_output_is_still_given() -> None:
    assert len(render("{{ a }}", a="x" * MAX_OUTPUT_BYTES)) == MAX_OUTPUT_BYTES


def seconds(text: str) -> float:
    best = 9.0
    for _ in range(5):
        with cpu_time() as measured, contextlib.suppress(SettingsError):
            Template.parse(text).render({"a": "b"})
        best = min(best, measured.seconds)
    return best


@pytest.mark.A50
@pytest.mark.parametrize(
    "unit", ["{{a}}", "{{ ", "{{a", "{{a.b", "{{a[1]", "}}", "{", "{{a" + " " * 50, "a.", "[0]"]
)
@pytest.mark.parametrize("head", ["", "{{a", "{{ "])
def test_the_time_is_linear_in_the_length(unit: str, head: str) -> None:
    count = 60_000 // len(unit)

    short, long = seconds(head + unit * count), seconds(head + unit * count * 4)

    assert long < 0.3
    assert long < 16 * short + 0.005


@pytest.mark.parametrize(
    ("url", "values", "expected"),
    [
        ("https://a.example/{{ x }}", {"x": "a/b?c#d&e=f g%"}, "a%2Fb%3Fc%23d%26e%3Df%20g%25"),
        ("https://a.example/{{ x }}", {"x": "é"}, "%C3%A9"),
        ("https://a.example/?q={{ x }}", {"x": [1, "a"]}, "?q=%5B1%2C%22a%22%5D"),
        ("https://a.example/p{{ x }}", {"x": None}, "p"),
        ("https://a.example?q={{ x }}", {"x": "/"}, "?q=%2F"),
        ("https://a.example#{{ x }}", {"x": "/"}, "#%2F"),
    ],
)
def test_a_value_in_path_and_query_is_percent_encoded(
    url: str, values: dict[str, Any], expected: str
) -> None:
    rendered = Template.parse(url).render_url(values)

    assert rendered.removeprefix("https://a.example").removeprefix("/") == expected


@pytest.mark.parametrize(
    ("url", "values", "expected"),
    [
        ("{{ u }}", {"u": "https://a.example/x?y=1&z=2"}, "https://a.example/x?y=1&z=2"),
        ("https://{{ h }}/x", {"h": "a.example:8443"}, "https://a.example:8443/x"),
        ("{{ s }}://{{ h }}/{{ p }}", {"s": "http", "h": "a.b", "p": "/"}, "http://a.b/%2F"),
        (
            "{{ base }}/items/{{ id }}",
            {"base": "https://a.b/v1", "id": "1/2"},
            "https://a.b/v1/items/1%2F2",
        ),
        ("{{ base }}?q={{ q }}", {"base": "https://a.b/v1", "q": "1&2"}, "https://a.b/v1?q=1%262"),
    ],
)
def test_a_whole_url_and_a_host_are_taken_as_they_are(
    url: str, values: dict[str, Any], expected: str
) -> None:
    assert Template.parse(url).render_url(values) == expected


@given(value=st.text(min_size=1).filter(lambda text: text not in (".", "..")))
def test_a_value_never_leaves_its_place_in_the_url(value: str) -> None:
    url = Template.parse("https://a.example/p/{{ x }}/end?q={{ x }}&r=1").render_url({"x": value})
    parts = urlsplit(url)

    assert parts.netloc == "a.example"
    assert [unquote(part) for part in parts.path.split("/")] == ["", "p", value, "end"]
    assert [unquote(part) for part in parts.query.split("&")] == [f"q={value}", "r=1"]


@pytest.mark.parametrize("value", [".", ".."])
def test_a_value_cannot_climb_in_the_path(value: str) -> None:
    with pytest.raises(NodeFailed):
        Template.parse("https://a.example/p/{{ x }}/end").render_url({"x": value})
    with pytest.raises(NodeFailed):
        Template.parse("https://a.example/p/{{ x }}.").render_url({"x": "."})


DOT_SEGMENTS = [".", "..", "%2e", "%2E", ".%2e", ".%2E", "%2e.", "%2E.", "%2e%2e", "%2E%2e"]


@pytest.mark.parametrize("segment", DOT_SEGMENTS)
@pytest.mark.parametrize("url", ["https://a.example/{{ x }}/S/end", "https://a.example/{{ x }}/S"])
def test_no_spelling_of_a_dot_segment_is_let_through(url: str, segment: str) -> None:
    """A server resolves each of these as it does `.` or `..`."""
    with pytest.raises(NodeFailed):
        Template.parse(url.replace("S", segment)).render_url({"x": "a"})
    with pytest.raises(NodeFailed):
        Template.parse("{{ base }}/{{ x }}").render_url(
            {"base": f"https://a.b/{segment}", "x": "a"}
        )


@pytest.mark.parametrize("segment", ["...", "%2e%2e%2e", "a.", ".a", "%2f", "%252e"])
def test_other_segments_with_dots_are_taken(segment: str) -> None:
    url = Template.parse(f"https://a.example/{{{{ x }}}}/{segment}/end").render_url({"x": "a"})

    assert url == f"https://a.example/a/{segment}/end"
