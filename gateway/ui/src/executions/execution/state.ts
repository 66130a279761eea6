/** One execution: its path in the API, and whether it goes on. */

import type { ExecutionDetail } from "../../api/types";

export function executionPath(id: string): string {
  return `/api/executions/${id}`;
}

export function isLive(execution: ExecutionDetail): boolean {
  return execution.status === "processing" || execution.status === "cancel_requested";
}
