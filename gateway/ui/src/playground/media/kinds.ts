/** Kinds of media, and the types of files among them. */

export const KINDS = ["image", "video", "audio", "file"] as const;
export type MediaKind = (typeof KINDS)[number];

/** Whether a type of a field or a socket is a kind of media. */
export function isMediaKind(type: unknown): type is MediaKind {
  return KINDS.includes(type as MediaKind);
}

interface FileType {
  name: string;
  contentType: string;
  endings: string[];
}

const OFFICE = "application/vnd.openxmlformats-officedocument";
export const FILE_TYPES: FileType[] = [
  { name: "PDF", contentType: "application/pdf", endings: [".pdf"] },
  { name: "Word document", contentType: `${OFFICE}.wordprocessingml.document`, endings: [".docx"] },
  { name: "Excel workbook", contentType: `${OFFICE}.spreadsheetml.sheet`, endings: [".xlsx"] },
  { name: "PowerPoint presentation", contentType: `${OFFICE}.presentationml.presentation`, endings: [".pptx"] },
  { name: "CSV table", contentType: "text/csv", endings: [".csv"] },
  { name: "TSV table", contentType: "text/tab-separated-values", endings: [".tsv"] },
  { name: "Text", contentType: "text/plain", endings: [".txt"] },
  { name: "Markdown", contentType: "text/markdown", endings: [".md", ".markdown"] },
  { name: "HTML", contentType: "text/html", endings: [".html", ".htm"] },
  { name: "JSON", contentType: "application/json", endings: [".json"] },
];

const NOUNS: Record<MediaKind, string> = { image: "an image", video: "a video", audio: "a sound", file: "a file" };

/** "a sound", for sentences about a field. */
export function nounOf(kind: MediaKind): string {
  return NOUNS[kind];
}

/** The kind of a medium by its content type; any type of no other kind is that of a file. */
export function kindOfType(contentType: string): MediaKind {
  const [group] = contentType.split("/");
  return isMediaKind(group) ? group : "file";
}

/** The value of `accept` for a control that takes files of these kinds. */
export function acceptOf(...kinds: MediaKind[]): string {
  const files = FILE_TYPES.flatMap(({ contentType, endings }) => [...endings, contentType]);
  return kinds.flatMap((kind) => (kind === "file" ? files : [`${kind}/*`])).join(",");
}

const FORMATS: Record<string, string> = { mpeg: "MP3", wav: "WAV", ogg: "Ogg", webm: "WebM", webp: "WebP" };
const MADE: Record<MediaKind, string> = { image: "image", video: "video", audio: "sound", file: "file" };

/** "PDF" for `application/pdf`, "WAV sound" for `audio/wav`; the type itself where it has no name. */
export function nameOfType(contentType: string): string {
  const bare = contentType.split(";")[0]?.trim() ?? "";
  const kind = kindOfType(bare);
  const format = bare.split("/")[1] ?? "";
  if (kind !== "file") return `${FORMATS[format] ?? format.toUpperCase()} ${MADE[kind]}`;
  return FILE_TYPES.find((each) => each.contentType === bare)?.name ?? bare;
}

export function sizeInWords(bytes: number): string {
  if (bytes < 1_000) return `${bytes} bytes`;
  return bytes < 1_000_000 ? `${Math.ceil(bytes / 1_000)} KB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

const ASSET_ID = /^[A-Za-z0-9_-]{24}$/;

/** Whether a value of a media field is the id of an asset, rather than an address. */
export function isAssetId(value: unknown): value is string {
  return typeof value === "string" && ASSET_ID.test(value);
}
