"""Calls the API with two packages that were generated from its descriptions; prints the answers."""

import importlib
import json
import pkgutil
import sys
import uuid

URL, KEY = sys.argv[1:]
PACKAGES = ("api_client", "letter_client")

for name in PACKAGES:
    package = importlib.import_module(name)
    for found in pkgutil.walk_packages(package.__path__, f"{name}."):
        importlib.import_module(found.name)


def operation(package, name):
    return importlib.import_module(f"{package}.api.default.{name}")


def model(package, name):
    return getattr(importlib.import_module(f"{package}.models"), name)


def client(package):
    made = importlib.import_module(package).AuthenticatedClient
    return made(base_url=URL, token=KEY, prefix="", auth_header_name="x-api-key")


def run(package, **path):
    called = operation(package, "run_workflow")
    kinds = {"api_client": "RunRequest", "letter_client": "RunWorkflowBody"}
    body = model(package, kinds[package]).from_dict({"inputs": {"name": "Ada"}})
    return called.sync(client=client(package), body=body, **path).to_dict()


api = client("api_client")
whoami = operation("api_client", "whoami").sync(client=api)
workflow = operation("api_client", "get_workflow").sync("greeting-letter", client=api)
missing = operation("api_client", "get_execution").sync(uuid.UUID(int=0), client=api)
print(
    json.dumps(
        {
            "user": whoami.to_dict()["user"]["email"],
            "slug": workflow.slug,
            "code": missing.to_dict()["code"],
            "answer": run("api_client", slug="greeting-letter"),
            "typed": run("letter_client"),
        }
    )
)
