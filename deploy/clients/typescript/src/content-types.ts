/** Types of files by their names. */

const OFFICE = "application/vnd.openxmlformats-officedocument";
const TYPES: Record<string, string> = {
  pdf: "application/pdf",
  docx: `${OFFICE}.wordprocessingml.document`,
  xlsx: `${OFFICE}.spreadsheetml.sheet`,
  pptx: `${OFFICE}.presentationml.presentation`,
  csv: "text/csv",
  tsv: "text/tab-separated-values",
  txt: "text/plain",
  md: "text/markdown",
  markdown: "text/markdown",
  html: "text/html",
  htm: "text/html",
  json: "application/json",
};

/** Type of files that tell by their content what they are, as pictures, sounds and PDFs do. */
const UNTYPED = "application/octet-stream";

/** Return the type to upload a file of this name with. */
export function guessType(name: string): string {
  const ending = /\.([^./\\]+)$/.exec(name)?.[1] ?? "";
  return TYPES[ending.toLowerCase()] ?? UNTYPED;
}
