"""Modules without a test module of their name, each with the reason."""

TESTED_ELSEWHERE: dict[str, str] = {
    "engine/errors/access.py": "",
    "engine/errors/base.py": "",
    "engine/errors/capacity.py": "",
    "engine/errors/conflicts.py": "",
    "engine/errors/missing.py": "",
    "engine/errors/money.py": "",
    "engine/errors/requests.py": "",
    "engine/executions/events.py": "",
    "engine/graph/parse.py": "",
    "engine/ids/partitions.py": "",
    "engine/media/following.py": "",
    "engine/media/inspecting.py": "",
    "engine/media/shrinking.py": "",
    "engine/media/sounds.py": "",
    "engine/media/webm.py": "",
    "engine/metrics.py": "",
    "engine/models/calls.py": "",
    "engine/models/checks.py": "",
    "engine/models/dialects/anthropic.py": "",
    "engine/models/dialects/builtin.py": "",
    "engine/models/dialects/chat_fields.py": "",
    "engine/models/dialects/http.py": "",
    "engine/models/dialects/openai.py": "",
    "engine/models/limits.py": "",
    "engine/models/price_list.py": "",
    "engine/models/reading.py": "",
    "engine/models/toml_positions.py": "",
    "engine/net/addresses.py": "",
    "engine/nodes/support/base.py": "",
    "engine/nodes/support/fan_out.py": "",
    "engine/nodes/support/image_edits.py": "",
    "engine/nodes/support/image_settings.py": "",
    "engine/nodes/support/model_calls.py": "",
    "engine/services/run_inputs.py": "",
    "engine/services/save_workflow.py": "",
    "engine/store/accounts/principals.py": "",
    "engine/store/executions/accept.py": "",
    "engine/store/executions/events.py": "",
    "engine/store/executions/inputs.py": "",
    "engine/store/executions/list.py": "",
    "engine/store/executions/orphans.py": "",
    "engine/store/executions/records.py": "",
    "engine/store/executions/results.py": "",
    "engine/store/executions/scan.py": "",
    "engine/store/executions/steps.py": "",
    "engine/store/metrics/samples.py": "",
    "engine/store/redis/connection.py": "",
    "engine/store/redis/info.py": "",
    "engine/store/webhooks.py": "",
    "engine/store/workflows/saves.py": "",
    "engine/values/cel/environment.py": "tests/engine/values/test_cel.py",
    "engine/values/cel/functions.py": "tests/engine/values/test_cel.py",
    "engine/values/cel/values.py": "tests/engine/values/test_cel.py",
    "gateway/admission/credentials.py": "tests/gateway/auth/test_principal.py sends each credential alone, twice and together.",
    "gateway/auth/browser_sessions.py": "tests/gateway/routes/test_sessions.py signs in and writes from every kind of page.",
    "gateway/http/listener.py": "tests/gateway/test_server.py starts and stops the process that listens.",
    "gateway/http/media_responses.py": "tests/gateway/routes/test_assets.py reads media whole and in ranges.",
    "gateway/http/pages.py": "tests/gateway/routes/test_home.py and test_sessions.py read the pages.",
    "gateway/http/request_bodies.py": "tests/gateway/admission/test_body_memory.py reads bodies with their memory.",
    "gateway/http/response_headers.py": "tests/gateway/http/test_middleware.py reads noted headers in answers.",
    "gateway/http/responses.py": "tests/gateway/admission/test_memory_unread_results.py sends large answers.",
    "gateway/openapi/errors.py": "tests/gateway/openapi/test_document_api.py checks every error and its example.",
    "gateway/openapi/examples.py": "Constants; tests/gateway/openapi/test_document_api.py checks all examples.",
    "gateway/openapi/parameters.py": "Constants; tests/gateway/routes/test_docs.py compares them with the API.",
    "gateway/openapi/parts.py": "tests/gateway/openapi/test_document.py builds documents of them.",
    "gateway/openapi/results.py": "tests/gateway/openapi/test_workflow.py checks results of workflows.",
    "gateway/openapi/schema.py": "tests/gateway/openapi/test_document.py builds documents of it.",
    "gateway/routes/descriptions.py": "tests/gateway/openapi/test_workflow.py reads the route's document.",
    "gateway/routes/identity.py": "tests/contract/test_2_keys.py and test_2_sessions.py call both routes.",
    "gateway/routes/shared_types.py": "Types; tests/gateway/openapi/test_document_api.py checks their examples.",
    "gateway/routes/workflow_types.py": "tests/gateway/routes/test_workflows.py reads and writes these types.",
    "gateway/runs/event_feed.py": "tests/gateway/runs/test_streams.py reads the events over HTTP.",
    "gateway/runs/node_names.py": "tests/gateway/routes/test_executions.py reads the names over HTTP.",
    "gateway/runs/types.py": "Types; tests/gateway/routes/test_runs.py and test_executions.py read them.",
    "workers/actors.py": (
        "tests/workers/walk/test_walk.py, tests/workers/webhooks/test_sender.py: real hints"
    ),
    "workers/main.py": (
        "tests/workers/walk/test_walker_recovery.py and tests/acceptance: whole worker processes"
    ),
    "workers/media/fetch.py": (
        "tests/workers/walk/test_walk_model_nodes.py: images of the account and from elsewhere"
    ),
    "workers/nodes/pool_child.py": "tests/workers/nodes/test_pool.py: the pool's children run it",
    "workers/outbound/acknowledged.py": (
        "tests/workers/outbound/test_client_once.py: calls on connections that the server closed"
    ),
    "workers/outbound/inflating.py": (
        "tests/workers/outbound/test_client_sizes.py: compressed bodies of a real server"
    ),
    "workers/providers/base.py": (
        "tests/workers/providers/test_jobs.py: contexts of calls; the rest are ports"
    ),
    "workers/providers/chat_request.py": (
        "tests/workers/providers/test_openai.py and test_anthropic.py: requests as they are sent"
    ),
    "workers/providers/parsing.py": (
        "tests/workers/providers/test_errors.py: answers that cannot be read"
    ),
    "workers/runtime/variables.py": (
        "tests/gateway/routes/models/test_available_models.py: models without a key"
    ),
    "workers/walk/attempts.py": "tests/workers/walk/test_walk.py: whole walks",
    "workers/walk/checkpoints.py": (
        "tests/workers/providers/test_jobs_resumed.py and test_jobs_left.py: jobs of real walks"
    ),
    "workers/walk/dependencies.py": "a dataclass without behaviour",
    "workers/walk/endings.py": (
        "tests/workers/walk/test_charging_changed_models.py and test_walker.py: plans that are gone"
    ),
    "workers/walk/state.py": "tests/workers/walk/test_walk.py: whole walks",
}
