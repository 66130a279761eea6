"""Whether tracing is on, by the standard variables of OpenTelemetry and the installed extra."""

from collections.abc import Mapping
from importlib.util import find_spec

from msgspec import Struct

from engine.process.extras import install_hint

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
HTTP, GRPC = "http/protobuf", "grpc"
EXTRAS = {HTTP: "otel", GRPC: "otel-grpc"}
"""Extra of the package that has a protocol's exporter."""
MODULES = {
    HTTP: "opentelemetry.exporter.otlp.proto.http",
    GRPC: "opentelemetry.exporter.otlp.proto.grpc",
}
QUEUE_SPANS = 16_384
BATCH_SPANS = 512
DELAY_MS = 1_000


class TraceEnvironment(Struct, frozen=True, kw_only=True):
    """Variables that say whether and how spans are sent."""

    is_on: bool
    """An endpoint is set, and nothing turns tracing off."""
    endpoint: str = ""
    protocol: str = HTTP
    queue_spans: int = QUEUE_SPANS
    """Spans that wait in a process at most."""
    batch_spans: int = BATCH_SPANS
    """Spans that one call sends."""
    delay_ms: int = DELAY_MS
    """Longest time that a span waits for others before it is sent."""

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> "TraceEnvironment":
        """Read the variables; a number that is none has its default."""
        return cls(
            is_on=_is_on(environ),
            endpoint=_first(environ, ENDPOINTS),
            protocol=_first(environ, PROTOCOLS).lower() or HTTP,
            queue_spans=_number(environ, "OTEL_BSP_MAX_QUEUE_SIZE", QUEUE_SPANS),
            batch_spans=_number(environ, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", BATCH_SPANS),
            delay_ms=_number(environ, "OTEL_BSP_SCHEDULE_DELAY", DELAY_MS),
        )

    @property
    def fault(self) -> str:
        """Sentence about the reason for which spans cannot be sent, with a remedy; else empty."""
        if not self.is_on:
            return ""
        if self.protocol not in EXTRAS:
            known = " or ".join(EXTRAS)
            return f"Spans cannot be sent by {self.protocol}: set {PROTOCOLS[1]} to {known}"
        if _is_installed(MODULES[self.protocol]):
            return ""
        return f"Spans are not sent without the extra: {install_hint(EXTRAS[self.protocol])}"

    @property
    def sends_spans(self) -> bool:
        """Return whether tracing is on, and its extra is installed."""
        return self.is_on and not self.fault


def _is_on(environ: Mapping[str, str]) -> bool:
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporter = environ.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    return exporter in ("", "otlp") and bool(_first(environ, ENDPOINTS))


def _first(environ: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((value for name in names if (value := environ.get(name, "").strip())), "")


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name, "").strip()
    return int(text) if text.isdecimal() and int(text) > 0 else default


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None and find_spec("opentelemetry.sdk") is not None
    except ModuleNotFoundError:  # a package above the module is missing
        return False
