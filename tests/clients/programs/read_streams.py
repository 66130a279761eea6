"""Reads the events of a run with two libraries; prints the names and data that each saw."""

import json
import sys

import httpx
import sseclient
from httpx_sse import connect_sse

URL, KEY = sys.argv[1:]
ASK = {
    "json": {"inputs": {"name": "Ada"}},
    "headers": {"x-api-key": KEY, "accept": "text/event-stream"},
}
RUN = f"{URL}/api/workflows/greeting-letter/run"

with httpx.Client(timeout=30) as client:
    with connect_sse(client, "POST", RUN, **ASK) as source:
        first = [[each.event, each.data] for each in source.iter_sse()]
    with client.stream("POST", RUN, **ASK) as answer:
        read = sseclient.SSEClient(answer.iter_bytes()).events()
        second = [[each.event, each.data] for each in read]
print(json.dumps({"httpx-sse": first, "sseclient-py": second}))
