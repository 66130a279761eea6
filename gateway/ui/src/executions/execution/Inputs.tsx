import type { ExecutionDetail } from "../../api/types";
import { SocketValue } from "../../editor/running/values/SocketValue";
import { isTruncated } from "../../editor/running/values/values";

/** The inputs of the run. */
export function Inputs({ execution: { inputs } }: { execution: ExecutionDetail }) {
  if (inputs === null) return <p className="muted">They were not recorded.</p>;
  if (isTruncated(inputs)) return <SocketValue name="inputs" value={inputs} />;
  const entries = Object.entries(inputs);
  if (entries.length === 0) return <p className="muted">It was called without any.</p>;
  return (
    <dl className="outputs">
      {entries.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <SocketValue name={name} value={value} />
          </dd>
        </div>
      ))}
    </dl>
  );
}
