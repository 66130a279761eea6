"""Do the steps of one scenario with the Python client: `run_scenario.py sync|async`.

The scenario is JSON on standard input; all outcomes are printed as JSON. It needs the client alone.
"""

import asyncio
import base64
import dataclasses
import inspect
import json
import os
import re
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import islice

import headrace_client
from headrace_client import AsyncHeadrace, Headrace, HeadraceError

POSITIONAL = ("slug", "inputs", "items", "executionId", "batchId", "assetId", "file")


def snake(name):
    return re.sub(r"[A-Z]", lambda found: f"_{found[0].lower()}", name)


def camel(name):
    first, *others = name.split("_")
    return first + "".join(each.capitalize() for each in others)


def find(path, saved):
    try:
        for name in path.split("."):
            saved = saved[int(name) if isinstance(saved, list) else name]
    except LookupError:
        return None  # the step before has failed; the expectations tell
    return saved


def resolve(value, saved):
    """Replace `$name.path` by what an earlier step saved."""
    if isinstance(value, str) and value.startswith("$"):
        return find(value[1:], saved)
    if isinstance(value, dict):
        return {name: resolve(each, saved) for name, each in value.items()}
    return [resolve(each, saved) for each in value] if isinstance(value, list) else value


def plain(value):
    """Return a value of the client as JSON with the API's names."""
    if dataclasses.is_dataclass(value):
        names = [each.name for each in dataclasses.fields(value) if each.name != "raw"]
        names += [name for name, each in vars(type(value)).items() if isinstance(each, property)]
        return {camel(name): plain(getattr(value, name)) for name in names}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value.isoformat() if isinstance(value, datetime) else value


def problem(error):
    names = ("code", "status", "request_id", "execution_id", "body")
    members = {camel(name): getattr(error, name, None) for name in names}
    return {"class": type(error).__name__, "message": str(error), **members}


def prepare(client, step, saved):
    """Return the call of a step, without arguments, and how many values it gives at most."""
    arguments = resolve(step["args"], saved)
    if "file" in arguments:
        arguments["file"] = base64.b64decode(arguments["file"])
    if step["call"] == "verifyWebhook":
        return lambda: headrace_client.verify_webhook(**arguments)
    verb = client
    for name in step["call"].split("."):
        verb = getattr(verb, snake(name))
    by_name = step["call"].endswith(".list") or step["call"].startswith("triggers.")
    names = () if by_name else POSITIONAL
    positional = [arguments.pop(name) for name in names if name in arguments]
    options = {snake(name): value for name, value in arguments.items()}
    return lambda: verb(*positional, **options)


def call_lab(step, saved):
    request = urllib.request.Request(
        f"{os.environ['HEADRACE_LAB']}/{step['lab']}",
        json.dumps(resolve(step["args"], saved)).encode(),
        {"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=70) as answer:
        return {"value": json.load(answer)}


def outcome(call, take):
    try:
        value = call()
        if inspect.isgenerator(value):
            value = list(islice(value, take))
    except HeadraceError as error:
        return {"error": problem(error)}
    return {"value": plain(value)}


async def async_outcome(call, take):
    try:
        value = call()
        if inspect.isasyncgen(value):
            values = []
            async for each in value:
                values.append(each)
                if len(values) == take:
                    break
            await value.aclose()
            value = values
        elif inspect.isawaitable(value):
            value = await value
    except HeadraceError as error:
        return {"error": problem(error)}
    return {"value": plain(value)}


def run_sync(scenario, options):
    saved = {}
    with Headrace(**options) as client:
        for step in scenario["steps"]:
            if "lab" in step:
                done = call_lab(step, saved)
            elif "together" in step:
                call, count = prepare(client, step, saved), step["together"]
                with ThreadPoolExecutor(count) as threads:
                    done = {"value": list(threads.map(outcome, [call] * count, [None] * count))}
            else:
                done = outcome(prepare(client, step, saved), step.get("take"))
            saved[step.get("as", "")] = done
    return saved


async def run_async(scenario, options):
    saved = {}
    async with AsyncHeadrace(**options) as client:
        for step in scenario["steps"]:
            if "lab" in step:
                done = await asyncio.to_thread(call_lab, step, saved)
            elif "together" in step:
                call = prepare(client, step, saved)
                calls = (async_outcome(call, None) for _ in range(step["together"]))
                done = {"value": await asyncio.gather(*calls)}
            else:
                done = await async_outcome(prepare(client, step, saved), step.get("take"))
            saved[step.get("as", "")] = done
    return saved


def main(kind):
    scenario = json.load(sys.stdin)
    options = {snake(name): value for name, value in scenario.get("client", {}).items()}
    is_sync = kind == "sync"
    saved = run_sync(scenario, options) if is_sync else asyncio.run(run_async(scenario, options))
    print(json.dumps(saved))


if __name__ == "__main__":
    main(sys.argv[1])
