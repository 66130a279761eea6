"""A workflow's life: drafted, checked, tried, published, refused for breaking callers, rolled back.

pip install "httpx<1"
headrace account create --email you@example.org --tier pro
headrace key create --account acc_… --preset 'Full deploy'
HEADRACE_URL=http://… HEADRACE_API_KEY=hr_live_… python examples/workflow_life.py
"""

import json
import os
from pathlib import Path

import httpx

LETTER = json.loads(Path(__file__).with_name("greeting-letter.json").read_text("utf-8"))
INPUTS = {"name": "Grace", "occasion": "thank you", "sender": "Ada"}


def rename_input(document, old, new):
    """Call an input by another name; callers that send the old one are not understood any more."""
    text = json.dumps(document).replace(f'"{old}"', f'"{new}"')
    return json.loads(text.replace(f"{{{{ {old} }}}}", f"{{{{ {new} }}}}"))


def draft_it(api):
    """Begin a workflow that nobody can run yet, whose text lacks a value."""
    unwired = LETTER | {"name": "Life of a letter", "draft": True, "edges": LETTER["edges"][1:]}
    workflow = api.post("/api/workflows", json=unwired).raise_for_status().json()
    print(f"Drafted {workflow['slug']}: version {workflow['version']}")
    return f"/api/workflows/{workflow['slug']}"


def check_it(api, path):
    """Read the problems that a write of the draft answers with, and write it without them."""
    draft = api.get(f"{path}/draft").raise_for_status().json()
    for problem in api.put(f"{path}/draft", json=draft).raise_for_status().json()["problems"]:
        print("Checked:", problem["reason"])
    whole = draft | {"edges": LETTER["edges"]}
    saved = api.put(f"{path}/draft", json=whole, headers={"If-Match": f'"{draft["revision"] + 1}"'})
    print(f"Mended: {len(saved.raise_for_status().json()['problems'])} problems")


def run_one_node(api, path):
    """Run one node of the draft with what it needs, before anybody else can run it."""
    body = {"inputs": INPUTS, "only": "letter"}
    answer = api.post(f"{path}/draft/run", json=body).raise_for_status().json()
    print("The node 'letter' gives:", answer["result"]["text-out"].splitlines()[0])


def publish_it(api, path, **how):
    """Publish the draft; a draft that breaks callers is refused unless it is forced."""
    answer = api.post(f"{path}/publish", json=how)
    if answer.status_code == 409:
        print(f"Refused, {answer.json()['code']}: {answer.json()['changes'][0]}")
    else:
        print(f"Published version {answer.raise_for_status().json()['version']}")


def run_it(api, path):
    """Run what is live with the inputs that callers have always sent."""
    answer = api.post(f"{path}/run", json={"inputs": INPUTS}).raise_for_status().json()
    print("A caller gets:", answer["result"]["text"].splitlines()[0], *answer.get("warnings", []))


key = {"x-api-key": os.environ["HEADRACE_API_KEY"]}
with httpx.Client(base_url=os.environ["HEADRACE_URL"], headers=key, timeout=60) as api:
    path = draft_it(api)
    check_it(api, path)
    run_one_node(api, path)
    publish_it(api, path, note="The first")
    run_it(api, path)
    api.put(f"{path}/draft", json=rename_input(LETTER, "sender", "author")).raise_for_status()
    run_it(api, path)
    publish_it(api, path)
    publish_it(api, path, note="Asks for an author", force=True)
    run_it(api, path)
    restored = api.post(f"{path}/versions/1/restore").raise_for_status().json()
    print(f"Rolled back to version 1, which is version {restored['version']} now")
    run_it(api, path)
    api.delete(path)
