/** Shapes of the API's answers, as far as the pages read them. */

export type Tier = "free" | "creator" | "pro" | "business" | "enterprise";

export interface User {
  id: string;
  email: string;
  role: "user" | "admin";
  tier: Tier;
  approved: boolean;
}

export interface RateWindow {
  limit: number;
  remaining: number;
  reset: number;
}

export interface Use {
  limit: number;
  used: number;
}

export interface Me {
  user: User;
  credits: { balance: number; allowance: number };
  ceiling: string[];
  limits: { runsPerMinute: RateWindow | null; active: Use | null; media: Use | null };
}

export interface LastRun {
  at: string;
  status: Status;
  creditsCost: number;
}

export interface WorkflowRow {
  slug: string;
  name: string;
  description: string;
  tags: string[];
  isTemplate: boolean;
  archived: boolean;
  hidden: boolean;
  createdBy: string | null;
  estimatedCreditCost: number;
  updatedAt: string;
  version: number | null;
  hasDraft: boolean;
  publicPlayground: boolean;
  coverUrl: string | null;
  lastRun: LastRun | null;
}

export interface GraphNode {
  id: string;
  type: string;
  position: { x: number; y: number };
  data: Record<string, unknown>;
}

export interface GraphEdge {
  id: string;
  source: string;
  target: string;
  sourceHandle: string;
  targetHandle: string;
}

export interface WorkflowDocument {
  slug: string;
  name: string;
  description: string;
  tags: string[];
  nodes: GraphNode[];
  edges: GraphEdge[];
  version: number | null;
}

export type FieldType =
  | "text"
  | "textarea"
  | "number"
  | "slider"
  | "pills"
  | "toggle"
  | "image"
  | "video"
  | "audio"
  | "json";

export interface Field {
  name: string;
  label: string;
  type: FieldType;
  required: boolean;
  default?: unknown;
  options?: (string | number)[];
  min?: number;
  max?: number;
  step?: number;
  maxLength?: number;
  helperText?: string;
}

export interface Schema {
  name: string;
  description: string;
  fields: Field[];
  values: Record<string, unknown>;
  estimatedCreditCost?: number;
}

export type Status = "processing" | "completed" | "failed" | "cancelled" | "cancel_requested";

/** What changes of an execution as it goes on. */
export interface RunRow {
  executionId: string;
  status: Status;
  error: { code: string; message: string; nodeId?: string } | null;
  creditsCost: number;
  durationMs: number | null;
  startedAt: string | null;
  completedAt: string | null;
}

export interface Execution extends RunRow {
  workflowSlug: string | null;
  workflowVersion: number | null;
  source: string;
  result: unknown;
  createdAt: string;
  modelIds: string[];
  inputs?: Record<string, unknown> | null;
}

export interface Asset {
  id: string;
  url: string;
  contentType: string;
  bytes: number;
}

export interface ApiKey {
  id: string;
  name: string;
  prefix: string;
  last4: string;
  capabilities: string[];
  createdAt: string;
  expiresAt: string | null;
  lastUsedAt: string | null;
  webhook: { url: string; enabled: boolean } | null;
}

export interface CreatedKey extends ApiKey {
  key: string;
}

export interface Webhook {
  url: string;
  enabled: boolean;
  disabledReason?: string;
  secret?: string;
}

export interface Attempt {
  at: string;
  status: number | null;
  durationMs: number;
  error?: string;
  body?: string;
}

export interface Delivery {
  id: string;
  executionId: string | null;
  event: string;
  status: "pending" | "delivered" | "failed";
  attempts: Attempt[];
  nextAttemptAt: string | null;
}

export interface Page<T> {
  rows: T[];
  nextCursor: string | null;
}

export interface Price {
  unit: "call" | "image" | "second" | "input_token" | "output_token";
  usd: number;
  credits: number;
}

export interface Model {
  internalName: string;
  name: string;
  category: "text" | "image" | "video" | "audio";
  fields: Field[];
  pricing: Price[];
  tierRequired: User["tier"];
  enabled: boolean;
  available: boolean;
  unavailableReason: string | null;
  isDemo: boolean;
}

export interface NodeTypeRow {
  type: string;
  label: string;
  available: boolean;
  unavailableReason: string | null;
}

export interface Secret {
  name: string;
  createdAt: string;
  updatedAt: string;
  hosts: string[] | null;
  usedBy: string[];
}

export interface Session {
  id: string;
  createdAt: string;
  lastUsedAt: string;
  userAgent: string | null;
  address: string | null;
  current: boolean;
}

export interface Account extends User {
  credits: { balance: number };
  createdAt: string;
}

export interface AuditEntry {
  id: string;
  at: string;
  by: string;
  action: string;
  subject: string;
  before: unknown;
  after: unknown;
}

export interface LedgerEntry {
  id: string;
  at: string;
  kind: string;
  credits: number;
  balance: number;
  executionId?: string;
  note?: string;
}

export interface DegradedPart {
  name: string;
  reason: string;
}

export interface WorkerState {
  id: string;
  alive: boolean;
  leaseEndsAt: string;
  executions: number;
  memoryBytes: number | null;
  memoryLimitBytes: number | null;
}

export interface QueueState {
  name: "walk" | "bulk" | "deliver";
  waiting: number;
  oldestAt: string | null;
}

export interface HistoryState {
  configured: boolean;
  archivedUntil: string | null;
  behindSeconds: number;
  waitingExecutions: number;
  waitingDeliveries: number;
  refused: number;
  problem: string | null;
}

export interface InstallationState {
  at: string;
  degraded: DegradedPart[];
  workers: WorkerState[];
  gateways: string[];
  queues: QueueState[];
  executionsDue: number;
  deliveriesDue: number;
  redis: { usedBytes: number; limitBytes: number | null };
  history: HistoryState;
}
