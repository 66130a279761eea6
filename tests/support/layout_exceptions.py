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
    "engine/nodes/support/templates.py": "",
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
    "engine/values/cel/environment.py": "",
    "engine/values/cel/functions.py": "",
    "engine/values/cel/values.py": "",
    "workers/actors.py": "",
    "workers/main.py": "",
    "workers/media/fetch.py": "",
    "workers/nodes/imaging/captions.py": "",
    "workers/nodes/imaging/opening.py": "",
    "workers/nodes/imaging/saving.py": "",
    "workers/nodes/imaging/sizes.py": "",
    "workers/nodes/pool_child.py": "",
    "workers/outbound/acknowledged.py": "",
    "workers/outbound/dns.py": "",
    "workers/outbound/inflating.py": "",
    "workers/providers/base.py": "",
    "workers/providers/chat_request.py": "",
    "workers/providers/limiter.py": "",
    "workers/providers/model_caller.py": "",
    "workers/providers/openai_chat.py": "",
    "workers/providers/openai_images.py": "",
    "workers/providers/parsing.py": "",
    "workers/providers/provider_client.py": "",
    "workers/providers/provider_queue.py": "",
    "workers/providers/rate_headers.py": "",
    "workers/providers/usage.py": "",
    "workers/runtime/dramatiq_command.py": "",
    "workers/runtime/persistence.py": "",
    "workers/runtime/variables.py": "",
    "workers/walk/attempts.py": "",
    "workers/walk/charging.py": "",
    "workers/walk/checkpoints.py": "",
    "workers/walk/dependencies.py": "",
    "workers/walk/endings.py": "",
    "workers/walk/item_answers.py": "",
    "workers/walk/sizes.py": "",
    "workers/walk/state.py": "",
    "gateway/admission/credentials.py": (
        "tests/gateway/auth/test_principal.py sends each credential alone, twice and together."
    ),
    "gateway/auth/browser_sessions.py": (
        "tests/gateway/routes/test_sessions.py signs in and writes from every kind of page."
    ),
    "gateway/http/listener.py": (
        "tests/gateway/test_server.py starts and stops the process that listens."
    ),
    "gateway/http/media_responses.py": (
        "tests/gateway/routes/test_assets.py reads media whole and in ranges."
    ),
    "gateway/http/pages.py": (
        "tests/gateway/routes/test_home.py and test_sessions.py read the pages."
    ),
    "gateway/http/request_bodies.py": (
        "tests/gateway/admission/test_body_memory.py reads bodies with their memory."
    ),
    "gateway/http/response_headers.py": (
        "tests/gateway/http/test_middleware.py reads noted headers in answers."
    ),
    "gateway/http/responses.py": (
        "tests/gateway/admission/test_memory_unread_results.py sends large answers."
    ),
    "gateway/openapi/errors.py": (
        "tests/gateway/openapi/test_document_api.py checks every error and its example."
    ),
    "gateway/openapi/examples.py": (
        "Constants; tests/gateway/openapi/test_document_api.py checks all examples."
    ),
    "gateway/openapi/parameters.py": (
        "Constants; tests/gateway/routes/test_docs.py compares them with the API."
    ),
    "gateway/openapi/parts.py": "tests/gateway/openapi/test_document.py builds documents of them.",
    "gateway/openapi/results.py": (
        "tests/gateway/openapi/test_workflow.py checks results of workflows."
    ),
    "gateway/openapi/schema.py": "tests/gateway/openapi/test_document.py builds documents of it.",
    "gateway/routes/descriptions.py": (
        "tests/gateway/openapi/test_workflow.py reads the route's document."
    ),
    "gateway/routes/identity.py": (
        "tests/contract/test_2_keys.py and test_2_sessions.py call both routes."
    ),
    "gateway/routes/shared_types.py": (
        "Types; tests/gateway/openapi/test_document_api.py checks their examples."
    ),
    "gateway/routes/workflow_types.py": (
        "tests/gateway/routes/test_workflows.py reads and writes these types."
    ),
    "gateway/runs/event_feed.py": "tests/gateway/runs/test_streams.py reads the events over HTTP.",
    "gateway/runs/node_names.py": (
        "tests/gateway/routes/test_executions.py reads the names over HTTP."
    ),
    "gateway/runs/types.py": (
        "Types; tests/gateway/routes/test_runs.py and test_executions.py read them."
    ),
    "deploy/admin/diagnosis.py": "tests/acceptance/test_commands.py runs `headrace doctor`.",
    "deploy/admin/examples.py": "tests/acceptance/test_examples.py runs every example.",
    "deploy/admin/sign_in.py": "tests/acceptance/test_first_run.py signs a browser in.",
    "deploy/admin/webhooks.py": "tests/acceptance/test_webhooks.py sets webhooks by command.",
    "deploy/client/access.py": (
        "tests/acceptance/test_commands_remote.py names servers, keys and accounts."
    ),
    "deploy/client/api.py": "tests/acceptance/test_commands_remote.py calls a server through it.",
    "deploy/client/callers.py": (
        "tests/acceptance/test_commands_remote.py runs workflows through it."
    ),
    "deploy/client/selection.py": (
        "tests/acceptance/test_commands_remote.py chooses servers and stores."
    ),
    "deploy/commands/accounts.py": (
        "tests/acceptance/test_commands.py and test_commands_credits.py."
    ),
    "deploy/commands/doctor.py": "tests/acceptance/test_commands.py runs the command on a stack.",
    "deploy/commands/executions.py": (
        "tests/acceptance/test_commands_remote.py lists, watches and cancels."
    ),
    "deploy/commands/init.py": "tests/deploy/stack/test_installation.py runs the command.",
    "deploy/commands/keys.py": "tests/acceptance/test_commands.py creates, lists and revokes keys.",
    "deploy/commands/ledger.py": (
        "tests/acceptance/test_commands_credits.py checks and shows ledgers."
    ),
    "deploy/commands/login.py": "tests/acceptance/test_first_run.py signs in with its link.",
    "deploy/commands/options.py": "tests/deploy/test_cli.py passes the options to commands.",
    "deploy/commands/parts.py": "tests/deploy/test_cli.py and tests/acceptance/test_first_run.py.",
    "deploy/commands/run.py": "tests/acceptance/test_commands_remote.py runs workflows.",
    "deploy/commands/stub_provider.py": (
        "tests/deploy/stub_provider/test_server.py runs the command."
    ),
    "deploy/commands/workflows.py": (
        "tests/acceptance/test_commands_remote.py pushes and reads workflows."
    ),
    "deploy/local_model/file.py": "tests/deploy/local_model/test_weights.py finds the file.",
    "deploy/local_model/installed.py": (
        "tests/deploy/local_model/test_part.py with and without the runtime."
    ),
    "deploy/local_model/server.py": "tests/acceptance/test_local_model.py runs the server.",
    "deploy/problems.py": "Exceptions; tests/deploy/test_cli.py reads their sentences.",
    "deploy/stub_provider/calls.py": (
        "tests/deploy/stub_provider/test_script.py reads the record of calls."
    ),
    "deploy/stub_provider/dialects.py": (
        "tests/deploy/stub_provider/test_limits.py and test_openai_text.py."
    ),
    "deploy/stub_provider/errors.py": "An exception; every test module of the stub raises it.",
    "deploy/stub_provider/exchange.py": (
        "tests/deploy/stub_provider/test_endpoint_strange_bodies.py sends bodies."
    ),
    "deploy/stub_provider/files.py": (
        "tests/deploy/stub_provider/test_openai_media.py and test_jobs.py read files."
    ),
    "deploy/stub_provider/job_protocols.py": (
        "tests/deploy/stub_provider/test_jobs.py calls both protocols."
    ),
    "deploy/stub_provider/outputs.py": (
        "tests/deploy/stub_provider/test_jobs.py reads outputs of jobs."
    ),
    "deploy/stub_provider/sounds.py": (
        "tests/deploy/stub_provider/test_openai_media.py plays the tune."
    ),
    "deploy/stub_provider/texts.py": (
        "tests/deploy/stub_provider/test_openai_text.py reads answers and streams."
    ),
    "deploy/stub_provider/transmission.py": (
        "tests/deploy/stub_provider/test_script.py and test_server.py break answers."
    ),
    "deploy/up.py": "tests/acceptance/test_first_run.py and test_recovery.py run whole stacks.",
}
