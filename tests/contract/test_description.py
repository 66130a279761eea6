from typing import Any

import httpx2
import jsonschema_rs
import pytest

from tests.support.contract.batches import ended_batch, start_batch
from tests.support.contract.installation import Caller, failing, never
from tests.support.gateway.documents import broken, greeting
from tests.support.manifests import manifest
from tests.support.nodes.strict_schemas import closed


@pytest.fixture(scope="module")
def description(api_access: tuple[str, str]) -> Any:
    """Return the API's description."""
    return httpx2.get(f"{api_access[0]}/openapi.json", timeout=30).json()


def check(description: Any, method: str, path: str, answer: httpx2.Response) -> None:
    """Fail unless the description has the operation's answer."""
    operation = description["paths"][path][method]
    response = operation["responses"][str(answer.status_code)]
    schema = response["content"]["application/json"]["schema"]
    shapes = closed(description["components"]["schemas"])
    whole = {**schema, "components": {"schemas": shapes}}
    jsonschema_rs.Draft202012Validator(whole).validate(answer.json())


def test_answers_are_as_the_api_describes_them(caller: Caller, description: Any) -> None:
    created = caller.create(greeting(publicPlayground=True))
    slug = created.json()["slug"]
    ran = caller.run(slug, {"name": "Eve"})
    accepted = caller.run(caller.save(never()), {}, "?async=true")
    going, gone = accepted.json()["executionId"], ran.json()["executionId"]
    workflow, execution = "/api/workflows/{slug}", "/api/executions/{execution_id}"

    for method, path, answer in (
        ("get", "/api/whoami", caller.get("/api/whoami")),
        ("get", "/api/whoami", caller.get("/api/whoami", headers={"x-api-key": "x"})),
        ("get", "/healthz", caller.get("/healthz")),
        ("post", "/api/workflows", created),
        ("post", "/api/workflows", caller.create({})),
        ("post", "/api/workflows", caller.create(broken())),
        ("get", "/api/workflows", caller.get("/api/workflows")),
        ("get", workflow, caller.get(f"/api/workflows/{slug}")),
        ("get", workflow, caller.get("/api/workflows/no-such")),
        ("put", workflow, caller.put(f"/api/workflows/{slug}", {"description": "a"})),
        ("put", workflow, caller.put(f"/api/workflows/{slug}", {}, headers={"if-match": "1"})),
        ("get", f"{workflow}/schema", caller.get(f"/api/workflows/{slug}/schema")),
        ("get", f"{workflow}/openapi.json", caller.get(f"/api/workflows/{slug}/openapi.json")),
        ("get", f"{workflow}/openapi.json", caller.get("/api/workflows/no-such/openapi.json")),
        ("get", f"{workflow}/public-schema", caller.get(f"/api/workflows/{slug}/public-schema")),
        ("post", f"{workflow}/run", ran),
        ("post", f"{workflow}/run", accepted),
        ("post", f"{workflow}/run", caller.run(slug, {})),
        ("post", f"{workflow}/run", caller.run(caller.save(failing()))),
        ("get", "/api/executions", caller.get("/api/executions?limit=3")),
        ("get", execution, caller.get(f"/api/executions/{going}")),
        ("get", execution, caller.get(f"/api/executions/{gone}")),
        ("get", execution, caller.get("/api/executions/no-such")),
        ("post", f"{execution}/cancel", caller.post(f"/api/executions/{going}/cancel")),
        ("post", f"{execution}/cancel", caller.post(f"/api/executions/{gone}/cancel")),
        ("delete", workflow, caller.delete(f"/api/workflows/{slug}")),
    ):
        check(description, method, path, answer)


def test_models_and_usage_are_as_the_api_describes_them(caller: Caller, description: Any) -> None:
    ran = caller.run_model("echo", {"prompt": "a"})
    accepted = caller.run_model("echo", {"prompt": "a"}, "?async=true")
    run, execution = "/api/models/{internal_name}/run", "/api/executions/{execution_id}"

    for method, path, answer in (
        ("get", "/api/models", caller.get("/api/models")),
        ("post", run, ran),
        ("post", run, accepted),
        ("post", run, caller.run_model("echo", {})),
        ("post", run, caller.run_model("echo", {"prompt": "a"}, "?max_credits=0")),
        ("post", run, caller.run_model("no-such", {})),
        ("get", execution, caller.get(f"/api/executions/{ran.json()['executionId']}")),
        ("get", "/api/usage", caller.get("/api/usage?limit=5&modelId=echo")),
        ("get", "/api/usage", caller.get("/api/usage?modelId=")),
    ):
        check(description, method, path, answer)


def test_batches_are_as_the_api_describes_them(caller: Caller, description: Any) -> None:
    slug = caller.save(failing())
    start, one = "/api/workflows/{slug}/batch", "/api/batches/{batch_id}"
    begun = start_batch(caller, slug, [{"inputs": {"other": 1}}] * 2, "", headers={})
    path = f"/api/batches/{begun.json()['batchId']}"
    ended_batch(caller, begun.json()["batchId"])

    for method, described, answer in (
        ("post", start, begun),
        ("post", start, start_batch(caller, slug, [])),
        ("post", start, start_batch(caller, caller.save(greeting()), [{"inputs": {"name": 1}}])),
        ("get", "/api/batches", caller.get("/api/batches?limit=3")),
        ("get", one, caller.get(path)),
        ("get", one, caller.get("/api/batches/no-such")),
        ("get", f"{one}/items", caller.get(f"{path}/items?limit=1")),
        ("post", f"{one}/cancel", caller.post(f"{path}/cancel")),
        ("post", f"{one}/retry", caller.post(f"{path}/retry")),
        ("post", f"{one}/retry", caller.post("/api/batches/no-such/retry")),
    ):
        check(description, method, described, answer)


def test_what_browsers_get_is_as_the_api_describes_it(browser: Caller, description: Any) -> None:
    made = browser.post("/api/api-keys", {"name": "a", "capabilities": ["webhook:receive"]})
    keys, key = "/api/api-keys", f"/api/api-keys/{made.json()['id']}"
    hook, described = f"{key}/webhook", "/api/api-keys/{key_id}/webhook"

    for method, path, answer in (
        ("get", "/api/me", browser.get("/api/me")),
        ("post", keys, made),
        ("post", keys, browser.post(keys, {})),
        ("get", keys, browser.get(keys)),
        ("get", described, browser.get(hook)),
        ("put", described, browser.put(hook, {"url": "https://example.org/"})),
        ("put", described, browser.put(hook, {"url": "no"})),
        ("get", described, browser.get(hook)),
        ("post", f"{described}/test", browser.post(f"{hook}/test")),
        ("get", f"{described}/deliveries", browser.get(f"{hook}/deliveries")),
        ("delete", described, browser.delete(hook)),
        ("delete", "/api/api-keys/{key_id}", browser.delete(key)),
    ):
        check(description, method, path, answer)


def test_what_admins_get_is_as_the_api_describes_it(
    admin: Caller, browser: Caller, description: Any
) -> None:
    models, own = "/api/models", "/api/models/contract-own"
    described = "/api/models/{internal_name}"
    right = {"manifest": manifest("contract-own")}
    wrong = {"manifest": manifest("contract-own", tier="gold")}

    for method, path, answer in (
        ("post", models, admin.post(models, right)),
        ("post", models, admin.post(models, right)),
        ("post", models, admin.post(models, wrong)),
        ("post", models, browser.post(models, right)),
        ("get", described, admin.get(own)),
        ("get", described, admin.get(f"{own}?version=0")),
        ("get", described, admin.get("/api/models/no-such")),
        ("put", described, admin.put(own, wrong)),
        ("put", described, admin.put(own, right, headers={"if-match": "9"})),
        ("put", described, admin.put(own, right)),
        ("delete", described, admin.delete(own)),
        ("delete", described, admin.delete(own)),
    ):
        check(description, method, path, answer)
