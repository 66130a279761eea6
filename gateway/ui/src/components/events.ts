/** Events that a webhook may be told of. */

/** Those that it is told of where none are chosen. */
export const ENDS = ["execution.completed", "execution.failed", "execution.cancelled"];
export const EVENTS = ["execution.started", "execution.waiting", "node.finished", ...ENDS];
/** Those that the webhook of a key may be told of. */
export const KEY_EVENTS = [...EVENTS, "canary.rolled_back"];
