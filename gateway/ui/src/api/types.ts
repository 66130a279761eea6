/** The schemas of the API's description, which `make types` writes, and names of their parts. */

import type {
  AuditPage,
  Check,
  Delivery,
  Execution,
  ExecutionPage,
  ExecutionRow,
  Field,
  Installation,
  InstallationSeries,
  LedgerPage,
  ListedApiKey,
  ManifestCheck,
  Me,
  ModelList,
  ModelVersionList,
  NodeTypeList,
  NodeValues,
  SessionPage,
  UsageSeries,
  Workflow,
  WorkflowVersionPage,
} from "./schemas";

export type * from "./schemas";

export type Page<Row> = Omit<ExecutionPage, "rows"> & { rows: Row[] };

export type User = Me["user"];
export type Tier = User["tier"];
export type RateWindow = NonNullable<Me["limits"]["runsPerMinute"]>;
export type Use = NonNullable<Me["limits"]["active"]>;
export type ApiKey = ListedApiKey;
export type Attempt = Delivery["attempts"][number];
export type Session = SessionPage["rows"][number];
export type LedgerEntry = LedgerPage["rows"][number];
export type AuditEntry = AuditPage["rows"][number];
export type InstallationState = Installation;
export type InstallationSample = InstallationSeries["samples"][number];
export type WorkerState = Installation["workers"][number];
export type QueueState = Installation["queues"][number];
export type HistoryState = Installation["history"];
export type SeriesRow = UsageSeries["rows"][number];

export type GraphNode = Workflow["nodes"][number];
export type GraphEdge = Workflow["edges"][number];
export type GraphProblem = Check["problems"][number];
export type WorkflowVersion = WorkflowVersionPage["rows"][number];
export type NodeTypeRow = NodeTypeList[number];
export type FieldType = Field["type"];
export type Model = ModelList[number];
export type ModelVersion = ModelVersionList[number];
export type ManifestProblem = ManifestCheck["problems"][number];
export type Price = Model["pricing"][number];

export type Status = ExecutionRow["status"];
export type ExecutionDetail = Execution;
export type ExecutionNode = Execution["nodes"][number];
export type NodeAttempt = NodeValues["attempts"][number];
/** The members of an execution that change as it goes on. */
export type RunRow = Pick<ExecutionRow, "executionId" | "status" | "error" | "creditsCost" | "durationMs" | "startedAt" | "completedAt">;
