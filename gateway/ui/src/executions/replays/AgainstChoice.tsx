import { useEffect, useId } from "react";
import { WORKFLOWS } from "../../api/paths";
import { useResource } from "../../api/resource";
import type { Page, WorkflowRow, WorkflowVersion } from "../../api/types";

interface Props {
  slug: string;
  value: string | undefined;
  /** Whether an editor is open, which makes a draft where there is none. */
  hasEditor: boolean;
  onChoose: (against: string) => void;
}

/** The draft or the version that runs are replayed against: at first the draft, where there is one. */
export function AgainstChoice({ slug, value, hasEditor, onChoose }: Props) {
  const id = useId();
  const row = useResource<WorkflowRow[]>(WORKFLOWS).data?.find((each) => each.slug === slug);
  const versions = useResource<Page<WorkflowVersion>>(row && row.version !== null ? `${WORKFLOWS}/${slug}/versions?limit=200` : null).data?.rows ?? [];
  const hasDraft = hasEditor || row?.hasDraft === true;
  const first = hasDraft ? "draft" : row?.version ? String(row.version) : undefined;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the first choice is made once
  useEffect(() => {
    if (value === undefined && first) onChoose(first);
  }, [value, first]);
  return (
    <div className="field">
      <label htmlFor={id}>Against</label>
      <select id={id} className="input" value={value ?? ""} onChange={(event) => onChoose(event.target.value)}>
        {hasDraft && <option value="draft">The draft</option>}
        {versions.map(({ version, note }) => (
          <option key={version} value={version}>
            Version {version}
            {version === row?.version ? " (live)" : ""}
            {note ? `: ${note.slice(0, 60)}` : ""}
          </option>
        ))}
      </select>
    </div>
  );
}
