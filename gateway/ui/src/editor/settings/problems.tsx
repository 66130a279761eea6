/** Problems beside the settings that they are about. */

import { isOwn } from "../catalogue/check";
import { useEditor } from "../document/store";

/** Whether a problem at `field` belongs to the setting, or the part of one, at `path`. */
export function isWithin(field: string | undefined, path: string): boolean {
  return field === path || Boolean(field?.startsWith(`${path}.`) || field?.startsWith(`${path}[`));
}

/** The reasons at a path; of its parts too unless `isExact`. */
export function useReasons(nodeId: string, path: string, isExact = false): string[] {
  const problems = useEditor((state) => state.check.problems);
  const shown = problems.filter(
    (each) => isOwn(each, nodeId) && (isExact ? each.field === path : isWithin(each.field, path)),
  );
  return [...new Set(shown.map((each) => sentence(each.reason, each.field)))];
}

/** The parser's list of expected tokens, which helps nobody. */
const EXPECTING = / expecting (\{.*\}|'.*'|[A-Z_]+)$/;

/** A reason as a sentence beside its setting, whose path it need not name. */
export function sentence(reason: string, field = ""): string {
  const isNamed = field !== "" && reason.startsWith(field);
  const rest = isNamed ? reason.slice(field.length) : reason;
  const subject = isNamed && !rest.startsWith(":") ? (/\w+$/.exec(field)?.[0] ?? "It") : "";
  const text = `${subject}${rest.replace(/^:/, "")}`
    .trim()
    .replace(EXPECTING, "")
    .replace(/(mismatched|extraneous) input '<EOF>'/, "it ends too early")
    .replace(/(?:mismatched|extraneous) input ('.+')/, "$1 is not expected here");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?…]$/.test(text) ? "" : "."}`;
}

export function Reasons({ id, reasons }: { id?: string; reasons: string[] }) {
  if (reasons.length === 0) return null;
  return (
    <ul className="reasons" id={id}>
      {reasons.map((reason) => (
        <li key={reason} className="fault">
          {reason}
        </li>
      ))}
    </ul>
  );
}

/** The problems of one row of a setting. */
export function RowReasons({ nodeId, path, id }: { nodeId: string; path: string; id?: string }) {
  return <Reasons id={id} reasons={useReasons(nodeId, path)} />;
}
