/** Files that a call uploads before its run, in the places of inputs that are not there yet. */

import type { Field } from "../../api/types";
import { isMediaKind, type MediaKind } from "../media/kinds";

const NAMES: Record<MediaKind, string> = { image: "picture.png", video: "video.mp4", audio: "sound.mp3", file: "document.pdf" };
const TYPES: Record<MediaKind, string> = { image: "image/png", video: "video/mp4", audio: "audio/mpeg", file: "application/pdf" };

/** A file of the caller, which stands for the id of its asset. */
export class LocalFile {
  readonly path: string;
  readonly contentType: string;

  constructor(kind: MediaKind) {
    this.path = NAMES[kind];
    this.contentType = TYPES[kind];
  }
}

/** The inputs of a form, with a file of the caller where a needed medium is not given. */
export function withUploads(fields: readonly Field[], inputs: Record<string, unknown>): Record<string, unknown> {
  const lacking = fields.filter(({ name, type, required, default: before }) => isMediaKind(type) && required && (before ?? null) === null && !(name in inputs));
  if (lacking.length === 0) return inputs;
  return { ...inputs, ...Object.fromEntries(lacking.map(({ name, type }) => [name, new LocalFile(type as MediaKind)])) };
}

/** A file to upload, and the name of a variable for the id of its asset. */
export interface NamedUpload {
  variable: string;
  file: LocalFile;
}

const MARK = "headrace-upload:";

/** The inputs with a mark in the place of each file, and the files. */
export function marked(inputs: unknown): { inputs: unknown; uploads: NamedUpload[] } {
  const uploads: NamedUpload[] = [];
  const mark = ([name, value]: [string, unknown]): [string, unknown] => {
    if (!(value instanceof LocalFile)) return [name, value];
    uploads.push({ variable: variableOf(name, uploads), file: value });
    return [name, `${MARK}${uploads.length - 1}`];
  };
  if (!inputs || typeof inputs !== "object" || Array.isArray(inputs)) return { inputs, uploads };
  return { inputs: Object.fromEntries(Object.entries(inputs).map(mark)), uploads };
}

/** "invoice_id", which no shell or language has another use for. */
function variableOf(name: string, others: NamedUpload[]): string {
  const bare = name.replace(/[^A-Za-z0-9]+/g, "_").replace(/^_+|_+$/g, "").toLowerCase() || "file";
  const variable = `${/^\d/.test(bare) ? "file_" : ""}${bare}_id`;
  return others.some((each) => each.variable === variable) ? `${variable}_${others.length + 1}` : variable;
}

/** Code with the marks replaced, each with its quotes. */
export function withVariables(code: string, uploads: NamedUpload[], spelled: (upload: NamedUpload) => string): string {
  return uploads.reduce((text, each, place) => text.replaceAll(`"${MARK}${place}"`, () => spelled(each)), code);
}
