/** Events of a run that a webhook may be told of. */

/** Those that it is told of where none are chosen. */
export const ENDS = ["execution.completed", "execution.failed", "execution.cancelled"];
export const EVENTS = ["execution.started", "execution.waiting", "node.finished", ...ENDS];
