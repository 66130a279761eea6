"""The flow that loses the replies of each script, or the reason why none does."""

from collections.abc import Awaitable, Callable, Mapping

from tests.support.replies.flows import accounts, editing, nested, others, runs
from tests.support.replies.installation import Actor

Flow = Callable[[Actor], Awaitable[None]]
PROOFS: Mapping[Flow, str] = {
    accounts.keys: "authorize_session create_key record_session_use replace_key revoke_key",
    accounts.secrets: "delete_secret save_secret",
    accounts.money: "read_wallet replace_account top_up",
    accounts.sessions: "create_login end_session redeem_login",
    accounts.models: "delete_model save_model",
    accounts.new_account: "create_account",
    accounts.connected_program: "add_oauth_record answer_grant_request redeem_grant_code",
    editing.edits: """
        authorize_key delete_workflow discard_draft record_change record_key_use restore_workflow
        revise_version save_draft save_workflow
    """,
    editing.releases: "delete_alias promote_alias set_alias",
    editing.rolled_back_canary: "roll_back_canary settle_canaries",
    nested.children: "begin_children feed_children open_children",
    nested.batch: "add_batch add_delivery feed_batch schedule_account settle_batch",
    nested.replay: "record_verdicts",
    nested.workflow_tests: "delete_test record_test_run save_tests",
    nested.cancelled_lists: "cancel_batch",
    nested.refused_items: "fail_child",
    others.approvals: "end_wait open_wait",
    others.events: """
        delete_trigger find_hook list_executions record_occurrences rotate_hook save_trigger
    """,
    others.media: "add_asset complete_asset delete_asset read_asset refer_asset",
    runs.paid_run: """
        accept_execution advance_execution claim_execution count_key_call record_answer
    """,
    runs.pure_run: "finish_execution",
    runs.told_run: """
        claim_delivery lease_outbound list_dead_workers save_webhook send_hints settle_delivery
        take_lead take_provider_turn
    """,
    runs.cancelled_run: "cancel_execution",
    runs.left_run: "deliver_end",
    runs.watched_run: "watch_execution",
    runs.public_run: "begin_public_run count_session_call",
    runs.redelivered_end: "redeliver",
    runs.many_cancelled: "match_executions",
}
"""Scripts by flow."""
FLOWS: Mapping[str, Flow] = {
    script: flow for flow, scripts in PROOFS.items() for script in scripts.split()
}
"""Flows by script."""

DUTIES = {
    "The archiver moves what has ended again at its next step.": """
        forget_occurrences mark_ledger_archived read_ledger read_trace_record remove_ended_batch
        remove_ended_delivery remove_ended_execution retire_snapshots
    """,
    "A reader of the history asks again.": """
        restore_archived_batch restore_archived_delivery restore_archived_execution
        read_account_events
    """,
    "The leading worker does its duty again at its next turn.": """
        forget_asset postpone_delivery promote_due put_sample put_snapshot release_feed
        remove_dead_worker remove_gateway reschedule_orphan review_asset review_workflow
        shorten_leases
    """,
    "The walk repeats the call until it is answered, and the test of the walk loses its reply.": """
        leave_unknown publish_progress relay_progress release_execution save_item_answers save_job
    """,
    "A feeder or a schedule begins its turn again.": """
        append_children cancel_children fail_item hold_occurrence
    """,
    "A figure of a page may miss a call, or count it twice.": "count_public_run",
    "The next beat follows soon.": "beat_gateway beat_worker",
    "A feeder that cannot end children at once begins them one by one.": "finish_children",
    "A page asks again.": "list_worker_variables record_cover request_cover",
    "The last admin of a partition loses the role, which few accounts can.": "guarantee_admin",
    "A command of the operator is repeated.": """
        mark_installation raise_schema redact_audit remove_account seal_secret
    """,
    "An actor of the operator's own takes messages at most once.": "delay_message take_message",
}
"""Scripts whose callers no flow waits for, by what follows a lost reply."""
WITHOUT_FLOW = {script: reason for reason, scripts in DUTIES.items() for script in scripts.split()}
"""Reasons by script."""
