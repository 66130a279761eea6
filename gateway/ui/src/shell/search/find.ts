/** Search by id, slug, name or prefix. */

import { type Batch, batchPath } from "../../api/batches";
import { ApiError, get } from "../../api/client";
import { againstInWords, type Replay, replayPath } from "../../api/replays";
import { type Trigger, TRIGGER_LIST } from "../../api/triggers";
import type { ApiKey, Asset, Delivery, ExecutionDetail, ExecutionRow, Page, WorkflowRow } from "../../api/types";

export interface Found {
  kind: "Execution" | "Batch" | "Replay" | "Workflow" | "Trigger" | "API key" | "Delivery" | "Asset";
  name: string;
  detail: string;
  status?: string;
  address: string;
  /** Whether the address is a file, and no page. */
  isFile?: boolean;
}

const MOST = 5;
const ID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/;
const ID_START = /^[0-9a-f-]{1,36}$/;
const ASSET = /^[A-Za-z0-9_-]{24}$/;
/** An `X-Request-Id`: one of ours has 32 letters, one of a caller's may have any. */
const REQUEST = /^[\x21-\x7e]{6,100}$/;
/** The id of a trace; a request id of ours looks the same. */
const TRACE = /^[0-9a-f]{32}$/;
/** Letters of a key before those that are secret. */
const KEY = /^hr_/;

/** Search all kinds at once; the most exact results come first. */
export async function search(text: string): Promise<Found[]> {
  const sought = text.trim();
  const id = sought.toLowerCase();
  // A whole key that was pasted is compared here, and sent nowhere.
  if (KEY.test(sought)) return keys(sought);
  const isWhole = ID.test(id);
  const [runs, requested, traced, workflows, triggers, ownKeys, media] = await Promise.all([
    ID_START.test(id) ? executions(`q=${id}`) : [],
    REQUEST.test(sought) ? executions(`httpRequestId=${encodeURIComponent(sought)}`) : [],
    TRACE.test(id) ? executions(`traceId=${id}`) : [],
    isWhole ? [] : workflowsNamed(sought),
    isWhole ? [] : triggersNamed(sought),
    keys(sought),
    ASSET.test(sought) ? asset(sought) : [],
  ]);
  const [sent, batches] = isWhole ? await Promise.all([deliveries(id, runs.length > 0), runs.length > 0 ? [] : batch(id)]) : [[], []];
  const isUnknown = isWhole && runs.length + batches.length + sent.length === 0;
  const replays = isUnknown ? await replay(id) : [];
  const begun = requested.map((each): Found => ({ ...each, detail: `${each.detail}, by this request` }));
  const ofTrace = traced.map((each): Found => ({ ...each, detail: `${each.detail}, in this trace` }));
  return [...runs, ...batches, ...replays, ...sent, ...begun, ...ofTrace, ...workflows, ...triggers, ...ownKeys, ...media];
}

async function executions(query: string): Promise<Found[]> {
  const page = await get<Page<ExecutionRow>>(`/api/executions?${query}&limit=${MOST}`);
  return page.rows.map((row) => ({
    kind: "Execution",
    name: row.executionId,
    detail: row.workflowSlug ?? row.modelIds[0] ?? "",
    status: row.status,
    address: `/app/executions/${row.executionId}`,
  }));
}

/** The delivery with an id; one of an execution that is known has the execution's id. */
async function deliveries(id: string, isExecution: boolean): Promise<Found[]> {
  if (isExecution) {
    const { deliveries: sent } = await get<ExecutionDetail>(`/api/executions/${id}`);
    if (!sent.some((each) => each.id === id)) return [];
  }
  const delivery = await known<Delivery>(`/api/deliveries/${id}`);
  if (!delivery) return [];
  const { executionId, batchId, event, status } = delivery;
  const cause = executionId ? `/app/executions/${executionId}?tab=deliveries` : batchId && `/app/batches/${batchId}`;
  const address = cause ?? "/app/api/keys?tab=webhook";
  return [{ kind: "Delivery", name: id, detail: event, status, address }];
}

async function batch(id: string): Promise<Found[]> {
  const found = await known<Batch>(batchPath(id));
  if (!found) return [];
  return [{ kind: "Batch", name: id, detail: found.workflowSlug, status: found.status, address: `/app/batches/${id}` }];
}

async function replay(id: string): Promise<Found[]> {
  const found = await known<Replay>(`${replayPath(id)}?limit=1`);
  if (!found) return [];
  const detail = `${found.workflowSlug} against ${againstInWords(found.against)}`;
  return [{ kind: "Replay", name: id, detail, status: found.status, address: `/app/replays/${id}` }];
}

/** A file that was uploaded or made. */
async function asset(id: string): Promise<Found[]> {
  const file = await known<Asset>(`/api/assets/${id}`);
  return file ? [{ kind: "Asset", name: id, detail: file.contentType, address: file.url, isFile: true }] : [];
}

/** Read an answer; null where it does not exist. */
async function known<T>(path: string): Promise<T | null> {
  try {
    return await get<T>(path);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

async function workflowsNamed(text: string): Promise<Found[]> {
  const page = await get<Page<WorkflowRow>>(`/api/workflows?q=${encodeURIComponent(text)}&limit=${MOST}`);
  const low = text.toLowerCase();
  const distance = ({ slug, name }: WorkflowRow): number =>
    slug === low ? 0 : slug.startsWith(low) || name.toLowerCase().startsWith(low) ? 1 : 2;
  return page.rows
    .sort((one, other) => distance(one) - distance(other))
    .map(({ slug, name }) => ({ kind: "Workflow", name, detail: slug, address: `/app/editor/${slug}` }));
}

/** Triggers by a part of their names, or by their ids. */
async function triggersNamed(text: string): Promise<Found[]> {
  const { rows } = await get<Page<Trigger>>(TRIGGER_LIST);
  const low = text.toLowerCase();
  return rows
    .filter(({ id, name }) => id.startsWith(low) || name.toLowerCase().includes(low))
    .slice(0, MOST)
    .map(({ id, name, workflowSlug }) => ({ kind: "Trigger", name, detail: workflowSlug, address: `/app/triggers/${id}` }));
}

async function keys(text: string): Promise<Found[]> {
  const low = text.toLowerCase();
  const fits = (key: ApiKey): boolean =>
    key.id === text || (KEY.test(text) && (text.startsWith(key.prefix) || key.prefix.startsWith(text))) || key.name.toLowerCase().includes(low);
  const rows = (await get<ApiKey[]>("/api/api-keys")).filter(fits).slice(0, MOST);
  return rows.map((key) => ({ kind: "API key", name: key.name, detail: `${key.prefix}…${key.last4}`, address: `/app/api/keys` }));
}
