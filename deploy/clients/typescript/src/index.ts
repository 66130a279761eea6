/** Client of Headrace. */

export { Headrace } from "./headrace.ts";
export type { Inputs, RunOptions, Target } from "./runs.ts";
export type { ClientOptions } from "./transport.ts";
export type { CallOptions } from "./waiting.ts";
export type { RunEvent, RunEvents, WaitingFor } from "./events.ts";
export type { EndedExecution, ExecutionFilter, Executions } from "./executions.ts";
export type { AnswerOptions, Approval, Approvals } from "./approvals.ts";
export type { Audios, Files, Images, Segment, Text, Transcript, Videos } from "./results.ts";
export type { Assets, UploadOptions } from "./assets.ts";
export type { HookOptions, NewTrigger, ScheduleOptions, TriggerFilter, Triggers } from "./triggers.ts";
export type { Batches, BatchOptions, ItemStatus } from "./batches.ts";
export { type RunWebhook, verifyWebhook, type WebhookEvent, type WebhookToVerify } from "./webhooks.ts";
export {
  ApiError,
  AuthenticationError,
  type Code,
  ConflictError,
  ConnectionFailedError,
  type ErrorBody,
  ExecutionCancelledError,
  ExecutionFailedError,
  HeadraceError,
  InvalidRequestError,
  NotFoundError,
  CreditsError,
  PermissionDeniedError,
  RateLimitError,
  ServerError,
  WebhookVerificationError,
  WaitTimeoutError,
} from "./errors.ts";
export type * from "./schemas.ts";
