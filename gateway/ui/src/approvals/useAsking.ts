/** The executions that wait for an answer. */

import { useMemo } from "react";
import { type Approval, APPROVALS } from "../api/approvals";
import { useResource } from "../api/resource";
import type { Page } from "../api/types";

/** The newest approvals alone: those of runs that a list begins with. */
const PATH = `${APPROVALS}?limit=100`;

/** Ids of executions that ask a person, by themselves or by an execution below them. */
export function useAsking(): ReadonlySet<string> {
  const rows = useResource<Page<Approval>>(PATH).data?.rows;
  return useMemo(() => new Set(rows?.map(({ executionId, rootId }) => rootId ?? executionId)), [rows]);
}
