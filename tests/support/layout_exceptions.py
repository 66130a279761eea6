"""Modules without a test module of their name, each with the reason."""

TESTED_ELSEWHERE: dict[str, str] = {
    "deploy/admin/diagnosis.py": "tests/acceptance/test_commands.py runs `headrace doctor`.",
    "deploy/admin/examples.py": "tests/acceptance/test_examples.py runs every example.",
    "deploy/admin/sign_in.py": "tests/acceptance/test_first_run.py signs a browser in.",
    "deploy/admin/webhooks.py": "tests/acceptance/test_webhooks.py sets webhooks by command.",
    "deploy/admin/secrets.py": "tests/acceptance/test_secrets.py sets, lists and deletes secrets by command.",
    "deploy/client/server_access.py": "tests/acceptance/test_commands_remote.py names servers, keys and accounts.",
    "deploy/client/api.py": "tests/acceptance/test_commands_remote.py calls a server through it.",
    "deploy/client/selection.py": "tests/acceptance/test_commands_remote.py chooses servers and stores.",
    "deploy/commands/accounts.py": "tests/acceptance/test_commands.py and test_commands_credits.py.",
    "deploy/commands/doctor.py": "tests/acceptance/test_commands.py runs the command on a stack.",
    "deploy/commands/executions.py": "tests/acceptance/test_commands_remote.py lists, watches and cancels.",
    "deploy/commands/init.py": "tests/deploy/stack/test_installation.py runs the command.",
    "deploy/commands/keys.py": "tests/acceptance/test_commands.py creates, lists and revokes keys.",
    "deploy/commands/ledger.py": "tests/acceptance/test_commands_credits.py checks and shows ledgers.",
    "deploy/commands/login.py": "tests/acceptance/test_first_run.py signs in with its link.",
    "deploy/commands/options.py": "tests/deploy/test_cli.py passes the options to commands.",
    "deploy/commands/parts.py": "tests/deploy/test_cli.py and tests/acceptance/test_first_run.py.",
    "deploy/commands/run.py": "tests/acceptance/test_commands_remote.py runs workflows.",
    "deploy/commands/secrets.py": "tests/acceptance/test_secrets.py runs the commands.",
    "deploy/commands/stub_provider.py": "tests/deploy/stub_provider/test_server.py runs the command.",
    "deploy/commands/workflows.py": "tests/acceptance/test_commands_remote.py pushes and reads workflows.",
    "deploy/local_model/file.py": "tests/deploy/local_model/test_weights.py finds the file.",
    "deploy/local_model/installed.py": "tests/deploy/local_model/test_part.py with and without the runtime.",
    "deploy/local_model/server.py": "tests/acceptance/test_local_model.py runs the server.",
    "deploy/problems.py": "Exceptions; tests/deploy/test_cli.py reads their sentences.",
    "deploy/stub_provider/calls.py": "tests/deploy/stub_provider/test_script.py reads the record of calls.",
    "deploy/stub_provider/dialects.py": "tests/deploy/stub_provider/test_limits.py and test_openai_text.py.",
    "deploy/stub_provider/errors.py": "An exception; every test module of the stub raises it.",
    "deploy/stub_provider/exchange.py": "tests/deploy/stub_provider/test_endpoint_strange_bodies.py sends bodies.",
    "deploy/stub_provider/files.py": "tests/deploy/stub_provider/test_openai_media.py and test_jobs.py read files.",
    "deploy/stub_provider/job_protocols.py": "tests/deploy/stub_provider/test_jobs.py calls both protocols.",
    "deploy/stub_provider/outputs.py": "tests/deploy/stub_provider/test_jobs.py reads outputs of jobs.",
    "deploy/stub_provider/sounds.py": "tests/deploy/stub_provider/test_openai_media.py plays the tune.",
    "deploy/stub_provider/texts.py": "tests/deploy/stub_provider/test_openai_text.py reads answers and streams.",
    "deploy/stub_provider/transmission.py": "tests/deploy/stub_provider/test_script.py and test_server.py break answers.",
    "deploy/up.py": "tests/acceptance/test_first_run.py and test_recovery.py run whole stacks.",
    "engine/errors/access.py": "tests/gateway/http/test_errors.py, all classes",
    "engine/errors/base.py": "tests/gateway/http/test_errors.py, all classes",
    "engine/errors/capacity.py": "tests/gateway/http/test_errors.py, all classes",
    "engine/errors/conflicts.py": "tests/gateway/http/test_errors.py, all classes",
    "engine/errors/missing.py": "tests/gateway/http/test_errors.py, all classes",
    "engine/errors/money.py": "tests/gateway/http/test_errors.py, all classes",
    "engine/errors/requests.py": "tests/gateway/http/test_errors.py, all classes",
    "engine/media/thumbnail_script.py": "tests/engine/media/test_thumbnails.py runs it",
    "engine/metrics.py": "tests/engine/store/metrics, together with the snapshots in Redis",
    "engine/models/call_sections.py": "tests/engine/models/dialects/test_sections.py",
    "engine/models/dialects/anthropic.py": "tests/engine/models/dialects/test_sections.py",
    "engine/models/dialects/builtin.py": "tests/engine/models/test_manifest.py",
    "engine/models/dialects/chat_fields.py": "tests/engine/models/dialects/test_sections.py",
    "engine/models/dialects/http.py": "tests/engine/models/dialects/test_sections.py",
    "engine/models/dialects/openai.py": "tests/engine/models/dialects/test_sections.py",
    "engine/models/limits.py": "tests/engine/models/dialects/test_sections.py",
    "engine/models/price_list.py": "tests/engine/models/test_manifest.py and test_manifest_most.py",
    "engine/models/table_checks.py": "tests/engine/models/test_manifest.py, by the messages",
    "engine/models/table_reader.py": "tests/engine/models/dialects/test_sections.py",
    "engine/nodes/support/base.py": "tests/engine/nodes/test_node_types.py, all node types",
    "engine/nodes/support/fan_out.py": "tests/engine/nodes/test_custom_model.py",
    "engine/nodes/support/image_edits.py": "tests/workers/nodes/imaging/test_edits.py",
    "engine/nodes/support/image_settings.py": "tests/engine/nodes/test_image_tools.py",
    "engine/nodes/support/model_calls.py": "tests/engine/nodes/test_generators.py",
    "engine/services/run_inputs.py": "tests/gateway/routes/test_assets.py",
    "engine/services/save_workflow.py": "tests/gateway/routes/test_covers.py, test_private_urls.py",
    "engine/store/accounts/principals.py": "Records without logic; tests/engine/store/accounts/test_api_keys.py.",
    "engine/store/executions/accept.py": "tests/engine/store/executions/test_executions.py accepts by it.",
    "engine/store/executions/orphans.py": "tests/workers/recovery/test_orphan_search.py finds and frees them.",
    "engine/store/executions/results.py": "tests/gateway/routes/test_large_results.py reads them over HTTP.",
    "engine/store/webhooks.py": "tests/gateway/routes/test_webhooks.py saves and reads them over HTTP.",
    "engine/store/workflows/plan_cache.py": "tests/engine/store/workflows/test_workflows.py reads plans.",
    "engine/store/workflows/quota.py": "tests/gateway/routes/test_workflows_quotas.py fills quotas.",
    "engine/store/workflows/records.py": "tests/engine/store/workflows/test_workflows.py reads records.",
    "engine/store/workflows/saves.py": "tests/engine/store/workflows/test_workflows.py saves by it.",
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
    "gateway/routes/account_events.py": "tests/contract/test_11_account_events.py reads the events.",
    "gateway/routes/descriptions.py": "tests/gateway/openapi/test_workflow.py reads the route's document.",
    "gateway/routes/identity.py": "tests/contract/test_2_keys.py and test_2_sessions.py call both routes.",
    "gateway/routes/node_types.py": "tests/contract/test_11_catalogue.py reads the catalogue.",
    "gateway/routes/shared_types.py": "Types; tests/gateway/openapi/test_document_api.py checks their examples.",
    "gateway/routes/webhook_types.py": "tests/gateway/routes/test_webhooks.py reads these types.",
    "gateway/routes/workflow_checks.py": "tests/contract/test_11_check.py checks graphs.",
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
    "workers/runtime/list_broker.py": (
        "tests/workers/runtime/test_broker.py and test_messages.py: both brokers on a real Redis"
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
