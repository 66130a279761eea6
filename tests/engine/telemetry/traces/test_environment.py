"""Whether tracing is on: variables, protocols and the extra."""

import pytest

from engine.process.extras import install_hint
from engine.telemetry.traces import environment
from engine.telemetry.traces.environment import TraceEnvironment

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}


@pytest.mark.parametrize(
    ("environ", "is_on"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "headrace"}, False),
        (ENDPOINT, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "  "}, False),
        (ENDPOINT | {"OTEL_SDK_DISABLED": "true"}, False),
        (ENDPOINT | {"OTEL_SDK_DISABLED": "false"}, True),
        (ENDPOINT | {"OTEL_TRACES_EXPORTER": "none"}, False),
        (ENDPOINT | {"OTEL_TRACES_EXPORTER": "otlp"}, True),
    ],
)
def test_an_endpoint_turns_tracing_on(environ: dict[str, str], is_on: bool) -> None:
    read = TraceEnvironment.read(environ)

    assert read.is_on == is_on
    assert read.sends_spans == is_on
    assert read.fault == ""


def test_bounds_are_standard_variables_and_wrong_numbers_are_defaults() -> None:
    read = TraceEnvironment.read(
        {
            "OTEL_BSP_MAX_QUEUE_SIZE": "100",
            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "-3",
            "OTEL_BSP_SCHEDULE_DELAY": "soon",
        }
    )

    assert read.queue_spans == 100
    assert read.batch_spans == environment.BATCH_SPANS
    assert read.delay_ms == environment.DELAY_MS


@pytest.mark.parametrize(("protocol", "extra"), [("http/protobuf", "otel"), ("grpc", "otel-grpc")])
def test_an_endpoint_without_the_extra_says_how_to_install_it(
    protocol: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "_is_installed", lambda module: False)
    read = TraceEnvironment.read(ENDPOINT | {"OTEL_EXPORTER_OTLP_PROTOCOL": protocol})

    assert install_hint(extra) in read.fault
    assert not read.sends_spans


def test_a_protocol_that_no_extra_has_is_a_fault() -> None:
    read = TraceEnvironment.read(ENDPOINT | {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"})

    assert "OTEL_EXPORTER_OTLP_PROTOCOL" in read.fault
    assert not read.sends_spans


def test_packages_are_looked_up_without_importing_them() -> None:
    assert environment._is_installed("opentelemetry.exporter.otlp.proto.http")
    assert not environment._is_installed("opentelemetry.exporter.nothing.of.this.name")
    assert not environment._is_installed("no_such_package.module")
