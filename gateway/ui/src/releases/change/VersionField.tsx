import { useId } from "react";
import type { WorkflowVersion } from "../../api/types";

interface Props {
  label: string;
  versions: WorkflowVersion[];
  /** A version that cannot be chosen. */
  except?: number | undefined;
  value: string;
  fault?: string | undefined;
  onChange: (value: string) => void;
}

/** A choice of a version, newest first, with its note. */
export function VersionField({ label, versions, except, value, fault, onChange }: Props) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        className="input"
        value={value}
        aria-invalid={fault ? true : undefined}
        aria-describedby={fault ? `${id}-fault` : undefined}
        onChange={(event) => onChange(event.target.value)}
      >
        <option value="">Choose a version</option>
        {versions
          .filter(({ version }) => version !== except)
          .map(({ version, note }) => (
            <option key={version} value={version}>
              Version {version}
              {note && ` · ${note.slice(0, MOST_NOTE)}`}
            </option>
          ))}
      </select>
      {fault && (
        <p className="fault" id={`${id}-fault`}>
          {fault}
        </p>
      )}
    </div>
  );
}

const MOST_NOTE = 60;
