"""Metrics of gateways."""

from engine.telemetry.metrics.declaring import Signal, counter, gauge, histogram

ROUTES = "path of each route of the API, `none` for other paths"
HTTP_REQUESTS = counter(
    "headrace_http_requests_total",
    "Answered requests.",
    Signal.TRAFFIC,
    {
        "route": ROUTES,
        "method": "`GET` `HEAD` `POST` `PUT` `PATCH` `DELETE` `OPTIONS` `other`",
        "status": "status of the answer; `0` without one",
    },
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
