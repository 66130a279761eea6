/** Values of nodes as executions keep them. */

import { assetPath } from "../../../api/assets";
import { get } from "../../../api/client";
import type { NodeValues } from "../../../api/types";
import { isMediaKind, type MediaKind } from "../../../playground/media/kinds";
import { kindOf } from "../../../playground/Result";
import type { SocketType } from "../../catalogue/catalogue";

/** Stands for a value that is too large: its size and its address. */
export interface Truncated {
  truncated: true;
  bytes: number;
  url: string;
}

export function isTruncated(value: unknown): value is Truncated {
  return typeof value === "object" && value !== null && (value as Truncated).truncated === true && "url" in value;
}

export function valuesPath(executionId: string, nodeId: string): string {
  return `/api/executions/${executionId}/nodes/${encodeURIComponent(nodeId)}`;
}

/** The outputs of a node as a pin keeps them: whole, and media by the ids of their assets. */
export async function outputsToPin(executionId: string, nodeId: string): Promise<Record<string, unknown> | null> {
  const { outputs, assets } = await get<NodeValues>(valuesPath(executionId, nodeId));
  if (!outputs) return null;
  const whole: Record<string, unknown> = {};
  for (const [socket, value] of Object.entries(outputs)) {
    whole[socket] = isTruncated(value) ? await get(value.url) : value;
  }
  return unlinked(whole, assets) as Record<string, unknown>;
}

/** A value with the ids of assets in place of links, which are others each time. */
export function unlinked(value: unknown, assets: NodeValues["assets"] = []): unknown {
  const ids = new Map(assets.map(({ id, url }) => [url, id]));
  const replace = (_: string, each: unknown): unknown => (typeof each === "string" ? (ids.get(each) ?? each) : each);
  return JSON.parse(JSON.stringify(value, replace));
}

/** The kind of a medium: of its socket, or by its address; null for one that is to be tried out. */
export function mediaKind(url: string, socket: SocketType | undefined): MediaKind | null {
  if (isMediaKind(socket)) return socket;
  return kindOf(url) ?? null;
}

/** Whether a value is the address of a medium. */
export function isMedium(value: unknown, socket: SocketType | undefined): value is string {
  if (typeof value !== "string" || !/^https?:\/\/\S+$/.test(value)) return false;
  return mediaKind(value, socket) !== null || assetPath(value) !== null;
}
