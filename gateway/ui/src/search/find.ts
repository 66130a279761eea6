/** Finds what an id, slug, name or prefix belongs to. */

import { ApiError, get } from "../api/client";
import type { ApiKey, Delivery, Execution, Page, WorkflowRow } from "../api/types";

export interface Found {
  kind: "Execution" | "Workflow" | "API key" | "Delivery";
  name: string;
  detail: string;
  status?: string;
  address: string;
}

const MOST = 5;
const ID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/;
const ID_START = /^[0-9a-f-]{1,36}$/;
/** Letters of a key before those that are secret. */
const KEY = /^hr_/;

/** Look everywhere at once; what is most exact comes first. */
export async function find(text: string): Promise<Found[]> {
  const sought = text.trim();
  const id = sought.toLowerCase();
  // A whole key that was pasted is compared here, and sent nowhere.
  if (KEY.test(sought)) return keys(sought);
  const [runs, sent, workflows, known] = await Promise.all([
    ID_START.test(id) ? executions(id) : [],
    ID.test(id) ? delivery(id) : [],
    ID.test(id) ? [] : workflowsNamed(sought),
    keys(sought),
  ]);
  return [...runs, ...sent, ...workflows, ...known];
}

async function executions(start: string): Promise<Found[]> {
  const page = await get<Page<Execution>>(`/api/executions?q=${start}&limit=${MOST}`);
  return page.rows.map((row) => ({
    kind: "Execution",
    name: row.executionId,
    detail: row.workflowSlug ?? row.modelIds[0] ?? "",
    status: row.status,
    address: `/app/executions/${row.executionId}`,
  }));
}

async function delivery(id: string): Promise<Found[]> {
  let found: Delivery;
  try {
    found = await get<Delivery>(`/api/deliveries/${id}`);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return [];
    throw error;
  }
  const { executionId, event, status } = found;
  const address = executionId ? `/app/executions/${executionId}?tab=deliveries` : "/app/api/keys?tab=webhook";
  return [{ kind: "Delivery", name: id, detail: event, status, address }];
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

async function keys(text: string): Promise<Found[]> {
  const low = text.toLowerCase();
  const fits = (key: ApiKey): boolean =>
    key.id === text || (KEY.test(text) && (text.startsWith(key.prefix) || key.prefix.startsWith(text))) || key.name.toLowerCase().includes(low);
  const rows = (await get<ApiKey[]>("/api/api-keys")).filter(fits).slice(0, MOST);
  return rows.map((key) => ({ kind: "API key", name: key.name, detail: `${key.prefix}…${key.last4}`, address: `/app/api/keys` }));
}
