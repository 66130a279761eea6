import { type Answer, type Approval, waitingOf } from "../api/approvals";
import { useReload } from "../api/renewal";
import { useResource } from "../api/resource";
import type { ExecutionDetail } from "../api/types";
import { Loading } from "../components/States";
import { ApprovalPanel } from "./ApprovalPanel";
import { EndedApproval } from "./EndedApproval";
import type { Place } from "./words";

const RENEW_MS = 2_000;

interface Props {
  place: Place;
  /** The approval as it is listed; undefined where it is not, or not any more. */
  row: Approval | undefined;
  /** The approval as it was listed last. */
  seen: Approval | undefined;
  /** The answer, where it was given here. */
  given: Answer | undefined;
  /** The approval to go on with. */
  next: Approval | undefined;
  onAnswered: (answer: Answer) => void;
}

/** The chosen approval: open as long as the list or its execution says so, with its answer afterwards. */
export function ChosenApproval({ place, row, seen, given, next, onAnswered }: Props) {
  const isKnown = row !== undefined || given !== undefined;
  const run = useResource<ExecutionDetail>(isKnown ? null : `/api/executions/${place.executionId}`);
  useReload(() => !isKnown && run.data?.completedAt === null && run.reload(), RENEW_MS);
  const isLoading = !isKnown && !run.data && !run.error;
  const open = row ?? (given ? undefined : isLoading ? seen : openIn(run.data, place));
  if (open) return <ApprovalPanel approval={open} onAnswered={onAnswered} />;
  if (isLoading) return <Loading height="16rem" />;
  return <EndedApproval approval={seen ?? place} run={run.data} given={given} next={next} />;
}

/** The approval in the record of its execution, which has those that the list is too short for. */
function openIn(run: ExecutionDetail | undefined, { executionId, nodeId }: Place): Approval | undefined {
  const wait = run && waitingOf(run).find((each) => each.nodeId === nodeId && each.kind === "approval" && !each.executionId);
  if (!wait) return undefined;
  const { title = "", message = "", fields = [], url = null, since, until } = wait;
  return { executionId, nodeId, title, message, fields, url, since, until, rootId: run.rootId ?? null, workflowSlug: run.workflowSlug };
}
