"""Metrics of gateways."""

from engine.telemetry.metrics.declaring import Signal, counter, gauge, histogram

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
OTHER_METHOD = "other"
ROUTES = "path of each route of the API, `none` for other paths"
HTTP_REQUESTS = counter(
    "headrace_http_requests_total",
    "Answered requests.",
    Signal.TRAFFIC,
    {
        "route": ROUTES,
        "method": " ".join(f"`{each}`" for each in (*METHODS, OTHER_METHOD)),
        "status": "status of the answer; `0` without one",
    },
)
HTTP_FAULTS = counter(
    "headrace_http_faults_total",
    "Requests answered 500 by a fault of Headrace, which the log has as `request failed`. Runs "
    "that fail while their callers wait are answered 500 too, and not counted here.",
    Signal.ERRORS,
)
HTTP_SECONDS = histogram(
    "headrace_http_request_seconds",
    "Time from the head of a request to the end of its answer.",
    Signal.LATENCY,
    {"route": ROUTES},
)
HTTP_IN_FLIGHT = gauge(
    "headrace_http_requests_in_flight",
    "Requests whose answer has not ended, streams of events included.",
    Signal.SATURATION,
)
CALLERS_WAITING = gauge(
    "headrace_callers_waiting",
    "Synchronous callers that wait for the end of their runs.",
    Signal.SATURATION,
)


def known_method(method: str) -> str:
    """Return the method of a request, `other` for one that the API does not have."""
    return method if method in METHODS else OTHER_METHOD
