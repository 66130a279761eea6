/** Problems beside the settings that they are about. */

import { useEditor } from "../document/store";

/** Whether a problem at `field` belongs to the setting, or the part of one, at `path`. */
export function isWithin(field: string | undefined, path: string): boolean {
  return field === path || Boolean(field?.startsWith(`${path}.`) || field?.startsWith(`${path}[`));
}

/** The reasons at a path; of its parts too unless `isExact`. */
export function useReasons(nodeId: string, path: string, isExact = false): string[] {
  const problems = useEditor((state) => state.check.problems);
  const found = problems.filter(
    (each) => each.nodeId === nodeId && (isExact ? each.field === path : isWithin(each.field, path)),
  );
  return [...new Set(found.map((each) => sentence(each.reason)))];
}

/** Begin with a capital and end as a sentence does. */
export function sentence(reason: string): string {
  const text = reason.trim();
  return /[.!?…]$/.test(text) ? text : `${text}.`;
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
