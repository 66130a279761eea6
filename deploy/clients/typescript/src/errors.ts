/** Errors of the client. `code` is the code of the API, by which programs decide. */

import type { ErrorCode } from "./schemas.ts";

/** Code of an error; the known ones are listed, and later servers may have more. */
export type Code = ErrorCode | (string & {});

/** An answer of the API that is an error, as JSON. */
export interface ErrorBody {
  error?: string;
  code?: Code;
  executionId?: string;
  [name: string]: unknown;
}

/** Base of all errors of this client, but for the reason of an `AbortSignal`, which is thrown as it is. */
export class HeadraceError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** No answer came, whatever was tried: the connection failed or broke. */
export class ConnectionFailedError extends HeadraceError {}

/** `timeoutMs` has passed. What the server has begun goes on. */
export class WaitTimeoutError extends HeadraceError {
  /** The execution that goes on; null where it is not known, or was never begun. */
  readonly executionId: string | null;
  /** The batch that goes on. */
  readonly batchId: string | null;

  constructor({ executionId = null, batchId = null }: Waited = {}) {
    const id = executionId ?? batchId;
    super(id === null ? "The time for the call is over" : `The time to wait for ${id} is over; it goes on`);
    this.executionId = executionId;
    this.batchId = batchId;
  }
}

/** The execution or the batch that a call waits for. */
export interface Waited {
  executionId?: string | null;
  batchId?: string | null;
}

/** A webhook is not signed with the secret, or its time is too far off. */
export class WebhookVerificationError extends HeadraceError {}

/** The API has answered with an error. */
export class ApiError extends HeadraceError {
  readonly status: number;
  /** Null where the answer has no code, as a 401 and answers of proxies. */
  readonly code: Code | null;
  /** All members of the answer: `field`, `reason`, `nodeId` and others, by code. */
  readonly body: ErrorBody;
  /** Name of the request in the operator's log. */
  readonly requestId: string | null;
  readonly retryAfterMs: number | null;

  constructor(status: number, body: ErrorBody, headers: Headers = new Headers()) {
    super(typeof body.error === "string" ? body.error : `The server answered ${status}`);
    this.status = status;
    this.code = typeof body.code === "string" ? body.code : null;
    this.body = body;
    this.requestId = headers.get("x-request-id");
    this.retryAfterMs = retryAfter(headers.get("retry-after"));
  }

  /** The execution that the error is about, if any. */
  get executionId(): string | null {
    return typeof this.body.executionId === "string" ? this.body.executionId : null;
  }

  /** The trace that the call belongs to, if any. */
  get traceId(): string | null {
    return typeof this.body.traceId === "string" ? this.body.traceId : null;
  }
}

/** 400, 405, 408, 413, 415, 431, 508: the request is wrong, and is answered the same again. */
export class InvalidRequestError extends ApiError {}
/** 401: the key is missing, unknown or deleted. */
export class AuthenticationError extends ApiError {}
/** 402: credits, a trial or `maxCredits` do not suffice. */
export class CreditsError extends ApiError {}
/** 403: the key, the account or its tier may not do this. */
export class PermissionDeniedError extends ApiError {}
/** 404: there is no such thing, or it belongs to somebody else. */
export class NotFoundError extends ApiError {}
/** 409, 412, 422: the state of the thing forbids it. */
export class ConflictError extends ApiError {}
/** 429: too many calls, beyond what the client waits for. */
export class RateLimitError extends ApiError {}
/** 5xx: the server's trouble, which lasted longer than the retries. */
export class ServerError extends ApiError {}
/** The run was cancelled while the caller waited for it. */
export class ExecutionCancelledError extends ConflictError {}

/** A node failed, and the run with it. */
export class ExecutionFailedError extends ApiError {
  get nodeId(): string | null {
    return textOf(this.body.nodeId);
  }

  /** Code of the node's failure, such as `PROVIDER_TIMEOUT`. */
  get nodeCode(): string | null {
    return textOf(this.body.nodeCode);
  }

  get reason(): string | null {
    return textOf(this.body.reason);
  }

  /** Whether a new run may go well where this one failed. */
  get isRetryable(): boolean {
    return this.body.retryable === true;
  }
}

const BY_CODE: Record<string, typeof ApiError> = {
  EXECUTION_FAILED: ExecutionFailedError,
  EXECUTION_CANCELLED: ExecutionCancelledError,
};
const BY_STATUS: Record<number, typeof ApiError> = {
  401: AuthenticationError,
  402: CreditsError,
  403: PermissionDeniedError,
  404: NotFoundError,
  409: ConflictError,
  412: ConflictError,
  422: ConflictError,
  429: RateLimitError,
  508: InvalidRequestError,
};

/** Return the error of an answer, in the class of its code or status. */
export function apiError(status: number, body: ErrorBody, headers?: Headers): ApiError {
  const others = status >= 500 || status < 400 ? ServerError : InvalidRequestError;
  const kind = BY_CODE[body.code ?? ""] ?? BY_STATUS[status] ?? others;
  return new kind(status, body, headers);
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function retryAfter(header: string | null): number | null {
  if (header === null) return null;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, at - Date.now());
}
