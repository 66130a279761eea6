from dataclasses import fields

import pytest

from engine.settings import SettingError, Settings, load


def test_nothing_set_gives_the_defaults() -> None:
    assert load({}) == Settings()


def test_the_environment_of_the_process_is_the_usual_source(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HEADRACE_PORT", "8123")

    assert load().port == 8123


def test_every_field_can_be_set_by_its_variable() -> None:
    values = {bool: "1", int: "7", float: "7.5", str: "text"}
    environ = {
        f"HEADRACE_{each.name.upper()}": values[each.type]
        for each in fields(Settings)
        if isinstance(each.type, type)
    }

    settings = load(environ)

    assert len(environ) == len(fields(Settings))
    for each in fields(Settings):
        expected = {bool: True, int: 7, float: 7.5, str: "text"}[type(getattr(settings, each.name))]
        assert getattr(settings, each.name) == expected


@pytest.mark.parametrize("word", ["1", "true", "TRUE", " yes ", "on"])
def test_words_for_yes(word: str) -> None:
    assert load({"HEADRACE_ALLOW_PRIVATE_URLS": word}).allow_private_urls


@pytest.mark.parametrize("word", ["0", "false", "no", "Off", "", " "])
def test_words_for_no(word: str) -> None:
    assert not load({"HEADRACE_ALLOW_PRIVATE_URLS": word}).allow_private_urls


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PORT", "http"),
        ("PORT", ""),
        ("PORT", "80.5"),
        ("PORT", "-1"),
        ("HEALTH_PORT", "65536"),
        ("METRICS_PORT", "99999"),
        ("WORKER_SLOTS", "-5"),
        ("SYNC_TIMEOUT", "soon"),
        ("SYNC_TIMEOUT", "nan"),
        ("SYNC_TIMEOUT", "-1"),
        ("RETENTION_DAYS", "inf"),
        ("ALLOW_PRIVATE_URLS", "maybe"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_name(name: str, text: str) -> None:
    with pytest.raises(SettingError, match=f"HEADRACE_{name}"):
        load({f"HEADRACE_{name}": text})


def test_a_port_and_a_number_are_told_how_to_be_right() -> None:
    with pytest.raises(
        SettingError, match="'99999' is not a valid value .a port is less than 65536"
    ):
        load({"HEADRACE_PORT": "99999"})
    with pytest.raises(SettingError, match="'abc' is not a valid value .use a whole number"):
        load({"HEADRACE_HEALTH_PORT": "abc"})
    assert load({"HEADRACE_PORT": "65535"}).port == 65_535


def test_variables_of_others_are_none_of_ours() -> None:
    assert load({"PORT": "1", "HEADRACE_UNKNOWN": "x", "headrace_port": "2"}) == Settings()


@pytest.mark.parametrize(
    ("minutes", "milliseconds"), [(0.5, 30_000), (60.0, 3_600_000), (0.0, 5_000)]
)
def test_redis_keeps_what_has_ended_for_some_time(minutes: float, milliseconds: int) -> None:
    assert Settings(hot_minutes=minutes).hot_ms == milliseconds
