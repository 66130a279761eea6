/** The contract between the panel and its widgets. */

import type { ComponentType } from "react";
import type { GraphNode } from "../../../api/types";
import type { SettingSchema } from "../../catalogue/catalogue";
import type { Edit } from "../../document/edits";

export interface WidgetProps {
  node: GraphNode;
  /** Name of the setting. */
  name: string;
  label: string;
  schema: SettingSchema;
  value: unknown;
  /** Id of the control, which its label names. */
  id: string;
  describedBy: string | undefined;
  isInvalid: boolean;
  /**
   * Set the value; `undefined` removes the setting. Changes of one `part` within a second are undone
   * together. `also` is done in the same step.
   */
  onChange: (value: unknown, part?: string, also?: Edit) => void;
}

export interface Widget {
  Control: ComponentType<WidgetProps>;
  /** Several controls: the label names their group, and each row shows its own problems. */
  isGroup?: boolean;
  /** The widget shows a help of its own, instead of the catalogue's words to programmers. */
  isExplained?: boolean;
}

/** A default in words. */
export function inWords(value: unknown): string {
  if (value === undefined || value === null || value === "") return "";
  if (typeof value === "boolean") return value ? "on" : "off";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
