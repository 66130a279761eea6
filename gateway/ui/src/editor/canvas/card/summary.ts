/** The settings that tell most about a node, for its card. */

import type { GraphNode } from "../../../api/types";
import { approvedOf, isWorkflow, toolsOf } from "../../settings/calls/tools/tools";
import { durationInWords } from "../../settings/waits/durations";

/** The setting that is shown, by type; others show the first of `COMMON`. */
const SHOWN: Record<string, string[]> = {
  httpRequest: ["url"],
  transform: ["expression"],
  condition: ["expression"],
  imageConvert: ["format"],
  merge: ["mode"],
  approval: ["title", "message"],
  delay: [],
  agent: [],
  mcpTool: [],
  documentText: [],
  splitText: [],
  nearest: [],
};
const COMMON = ["prompt", "text", "expression", "url", "aspectRatio"];

export interface Summary {
  text: string;
  isCode: boolean;
}

const CODE = new Set(["expression", "url"]);

/** A line about a node; null where nothing is set yet. */
export function summaryOf({ type, data }: GraphNode): Summary | null {
  for (const name of SHOWN[type] ?? COMMON) {
    const value = data[name];
    if (typeof value !== "string" || !value.trim()) continue;
    const method = name === "url" && typeof data.method === "string" ? `${data.method} ` : "";
    return { text: method + firstLines(value), isCode: CODE.has(name) };
  }
  const listed = LISTED[type]?.(data);
  return listed ? { text: listed, isCode: false } : null;
}

const STORED: Record<string, string> = { image: "A stored image", video: "A stored video", audio: "A stored sound" };

const LISTED: Record<string, (data: GraphNode["data"]) => string> = {
  requestInput: ({ fields }) => namesOf(fields, "label"),
  responseOutput: ({ fields }) => namesOf(fields),
  switch: ({ cases }) => namesOf(cases),
  delay: ({ seconds, until }) => delayInWords(seconds, until),
  agent: toolsInWords,
  mcpTool: ({ tool, server }) => [tool, typeof server === "string" && hostOf(server)].filter(Boolean).join(" of "),
  list: ({ items }) => (Array.isArray(items) && items.length > 0 ? counted(items.length, "item") : ""),
  upload: ({ asset, kind }) => (asset ? (STORED[String(kind)] ?? "A stored file") : ""),
  documentText: ({ maxPages, ocr }) => [typeof maxPages === "number" && `At most ${counted(maxPages, "page")}`, ocr === "auto" && "recognises pictures of text"].filter(Boolean).join(", "),
  splitText: ({ by, size }) => (by || size ? `By ${by ?? "characters"}${size ? `, ${size} at most` : ""}` : ""),
  nearest: ({ k }) => (typeof k === "number" ? `The nearest ${k}` : ""),
  imageResize: ({ width, height }) => (width || height ? `${width ?? "…"} × ${height ?? "…"}` : ""),
  imageCrop: ({ width, height }) => (width || height ? `${width ?? "…"} × ${height ?? "…"}` : ""),
};

export function counted(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`;
}

function namesOf(values: unknown, member = "name"): string {
  if (!Array.isArray(values)) return "";
  const names = values.map((each: Record<string, unknown> | null) => each?.[member] ?? each?.name);
  return names.filter((name) => typeof name === "string" && name).join(", ");
}

/** "Tools: find-order, pay-back; asks before pay-back". */
function toolsInWords(data: GraphNode["data"]): string {
  const names = toolsOf(data).map((tool) => (isWorkflow(tool) ? tool.workflow : tool.tool || hostOf(tool.server)));
  const approved = approvedOf(data);
  const listed = names.filter(Boolean).join(", ");
  if (!listed) return "";
  return approved.length > 0 ? `Tools: ${listed}; asks before ${approved.join(", ")}` : `Tools: ${listed}`;
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}

const moment = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" });

function delayInWords(seconds: unknown, until: unknown): string {
  if (typeof seconds === "number") return `Waits ${durationInWords(seconds)}`;
  if (typeof until !== "string" || Number.isNaN(Date.parse(until))) return "";
  return `Waits until ${moment.format(Date.parse(until))}`;
}

function firstLines(text: string): string {
  return text.trim().split(/\n+/, 3).join("\n").slice(0, 160);
}
