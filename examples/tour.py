"""A caller's tour: run a workflow, hear of its end, keep to the rate limit, read the usage.

The stack runs on this machine with HEADRACE_ALLOW_PRIVATE_URLS=1, so that webhooks may come here.
    pip install "httpx<1"
    headrace account create --email you@example.org --tier pro
    headrace key create --account acc_… --capability 'workflow:*' --capability webhook:receive
    HEADRACE_ALLOW_PRIVATE_URLS=1 headrace key webhook key_… --url http://127.0.0.1:8099
    HEADRACE_URL=http://… HEADRACE_API_KEY=hr_live_… WEBHOOK_SECRET=whsec_… python examples/tour.py
"""

import hashlib
import hmac
import json
import os
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx

BODY = {"inputs": {"question": "What is a headrace?"}}
events = []


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        signed = dict(pair.split("=") for pair in self.headers["x-knouds-signature"].split(","))
        message = signed["t"].encode() + b"." + body
        wanted = hmac.new(os.environ["WEBHOOK_SECRET"].encode(), message, hashlib.sha256)
        is_genuine = hmac.compare_digest(wanted.hexdigest(), signed["v1"])
        if is_genuine and abs(time.time() - int(signed["t"])) <= 300:
            events.append(json.loads(body))
        self.send_response(204 if is_genuine else 400)
        self.end_headers()


server = HTTPServer(("127.0.0.1", int(os.environ.get("WEBHOOK_PORT", "8099"))), Receiver)
key = {"x-api-key": os.environ["HEADRACE_API_KEY"]}
with server, httpx.Client(base_url=os.environ["HEADRACE_URL"], headers=key, timeout=60) as api:
    document = json.loads(Path(__file__).with_name("ask-a-model.json").read_text("utf-8"))
    slug = api.post("/api/workflows", json=document).raise_for_status().json()["slug"]
    run = f"/api/workflows/{slug}/run"
    answer = api.post(run, json=BODY).raise_for_status()
    print(f"Answered {answer.json()['result']} for {answer.json()['cost']} credits")
    api.post(run, json=BODY, params={"async": True}).raise_for_status()
    server.timeout = 30
    server.handle_request()
    print(f"Told by a webhook, and verified: {events[0]['event']} {events[0]['executionId']}")
    while answer.is_success:  # as fast as it goes, until it is refused
        answer = api.post(run, json=BODY)
    for _ in range(3):  # from now on the calls that are left are spread over the rest of the window
        left, end = (int(answer.headers[f"x-ratelimit-{name}"]) for name in ("remaining", "reset"))
        pause = max(0, end - time.time()) / max(1, left)
        print(f"{answer.status_code} with {left} calls left: waits {pause:.1f} s")
        time.sleep(pause)
        answer = api.post(run, json=BODY)
    for row in api.get("/api/usage", params={"workflowSlug": slug, "limit": 3}).json()["rows"]:
        print("Used", row["creditsCost"], "credits", row["status"], row["createdAt"])
    api.delete(f"/api/workflows/{slug}")
