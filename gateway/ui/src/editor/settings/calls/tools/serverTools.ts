/** Tools of MCP servers, as a worker has listed them: asked for by a button, kept while the page is open. */

import { useSyncExternalStore } from "react";
import { type ApiError, call } from "../../../../api/client";

export interface ServerTool {
  server: string;
  /** One tool of the server; without it, all of them. */
  tool?: string;
  auth?: unknown;
}

export interface RemoteTool {
  name: string;
  title: string | null;
  description: string | null;
  /** JSON Schema of its arguments. */
  inputSchema: Record<string, unknown>;
}

export interface ServerTools {
  isAsking: boolean;
  tools: RemoteTool[] | null;
  fault: string | null;
}

const listed = new Map<string, ServerTools>();
const watchers = new Set<() => void>();
let turn = 0;

function keyOf({ server, auth }: ServerTool): string {
  return JSON.stringify([server, auth ?? null]);
}

function set(key: string, found: ServerTools): void {
  listed.set(key, found);
  turn += 1;
  for (const notify of watchers) notify();
}

/** Ask a server for its tools; the answer is shown wherever they are. */
export async function askForTools(tool: ServerTool): Promise<void> {
  const key = keyOf(tool);
  set(key, { isAsking: true, tools: listed.get(key)?.tools ?? null, fault: null });
  const { server, auth } = tool;
  try {
    const { tools } = await call<{ tools: RemoteTool[] }>("POST", "/api/mcp/tools", { server, ...(auth ? { auth } : {}) });
    set(key, { isAsking: false, tools, fault: null });
  } catch (error) {
    set(key, { isAsking: false, tools: null, fault: (error as ApiError).message });
  }
}

function subscribe(notify: () => void): () => void {
  watchers.add(notify);
  return () => watchers.delete(notify);
}

/** A look-up of the tools of servers; undefined where nobody has asked. */
export function useListed(): (tool: ServerTool) => ServerTools | undefined {
  useSyncExternalStore(subscribe, () => turn);
  return (tool) => listed.get(keyOf(tool));
}
