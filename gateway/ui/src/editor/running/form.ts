/** The form of a workflow that is being drawn: the fields of its Request Input. */

import type { Field, PublicSchema } from "../../api/types";
import { type Draft, initial } from "../../playground/inputs";
import type { EditorDocument } from "../document/document";

/** Inputs under a name, kept with the document. */
export interface Sample {
  name: string;
  values: Draft;
}

function settingsOf(document: EditorDocument): { fields?: unknown; values?: unknown } {
  return document.nodes.find((node) => node.type === "requestInput")?.data ?? {};
}

/** The fields; members that may be left out in a document have their defaults. */
export function fieldsOf(document: EditorDocument): Field[] {
  const { fields } = settingsOf(document);
  if (!Array.isArray(fields)) return [];
  return fields
    .filter((each) => typeof each?.name === "string")
    .map((each) => ({ ...each, label: each.label || each.name, required: each.required === true }));
}

function schemaOf(document: EditorDocument): PublicSchema {
  const { values } = settingsOf(document);
  const known = values && typeof values === "object" ? (values as Record<string, unknown>) : {};
  return { name: document.name, description: "", fields: fieldsOf(document), values: known };
}

/** The whole form: the values that were changed in it, and those of the document. */
export function filled(document: EditorDocument, changed: Draft): Draft {
  return { ...initial(schemaOf(document)), ...changed };
}

export function samplesOf(document: EditorDocument): Sample[] {
  const { samples } = document.editor;
  return Array.isArray(samples) ? (samples as Sample[]) : [];
}

/** Keep a sample under its name, in place of one that has it. */
export function withSample(sample: Sample): (document: EditorDocument) => EditorDocument {
  return (document) => {
    const others = samplesOf(document).filter((each) => each.name !== sample.name);
    return { ...document, editor: { ...document.editor, samples: [...others, sample] } };
  };
}

export function withoutSample(name: string): (document: EditorDocument) => EditorDocument {
  return (document) => {
    const samples = samplesOf(document).filter((each) => each.name !== name);
    return { ...document, editor: { ...document.editor, samples } };
  };
}
