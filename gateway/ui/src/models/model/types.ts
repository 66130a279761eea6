/** Answers of the API about one model, as far as the pages read them. */

import type { Model } from "../../api/types";

export interface ManifestSource {
  origin: "shipped" | "folder" | "saved" | null;
  version: number | null;
  manifest: string;
}

export interface ModelVersion {
  version: number;
  savedBy: string;
  updatedAt: string;
}

export interface SavedModel extends Model, ModelVersion {}

export interface Problem {
  line?: number;
  path?: string;
  reason: string;
}

export interface ManifestCheck {
  problems: Problem[];
  model: Model | null;
}

export interface TryResult {
  success: boolean;
  result: unknown;
  error: { code: string; message: string; retryable: boolean } | null;
  cost: number;
  ms: number;
  executionId: string | null;
  /** By the manifest's `[http]`; null for other protocols. */
  request: { method: string; url: string; headers: Record<string, string>; body: unknown } | null;
}
