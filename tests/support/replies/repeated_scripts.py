"""Scripts by what a second call with the same words does."""

from engine.store.redis.scripts import SCRIPTS

COUNTED_AGAIN = {
    "send_hints": "A hint is disposable: the claim refuses a double.",
    "take_message": "A message is delivered at most once: the sweeper sends a lost hint again.",
    "count_key_call": "A caller that asks again has called twice.",
    "count_session_call": "A caller that asks again has called twice.",
    "count_public_run": "The figure of the page is a number of calls.",
    "lease_outbound": "A lease that its worker does not know of lapses with its minute.",
}
"""Scripts of which each call has its effect, with the reason why that does no harm."""
REPEATABLE = sorted(set(SCRIPTS) - set(COUNTED_AGAIN))
"""Scripts without an effect when repeated."""
