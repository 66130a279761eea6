import { useId } from "react";
import type { ExecutionRow } from "../../api/types";
import { describeRun } from "./recent";

interface Props {
  label: string;
  runs: ExecutionRow[];
  chosen: string;
  onChoose: (executionId: string) => void;
}

/** A choice among the last runs. */
export function RunChoice({ label, runs, chosen, onChoose }: Props) {
  const id = useId();
  return (
    <div className="run-choice">
      <label htmlFor={id}>{label}</label>
      <select id={id} className="input" value={chosen} onChange={(event) => onChoose(event.target.value)}>
        {!runs.some((run) => run.executionId === chosen) && <option value={chosen}>This run</option>}
        {runs.map((run) => (
          <option key={run.executionId} value={run.executionId}>
            {describeRun(run)}
          </option>
        ))}
      </select>
    </div>
  );
}
