import { Button } from "../../../components/Button";
import type { WorkflowRow } from "../../../api/types";
import { useEditor, useStore } from "../../document/store";
import type { WidgetProps } from "../widgets/widget";
import { calleeOf, look, useCalleeChange, useWorkflows } from "./callee";
import "./calls.css";

/** A choice among the published workflows of the account; shows the inputs and outputs of the chosen one. */
export function WorkflowWidget({ node, id, describedBy, isInvalid, value, onChange }: WidgetProps) {
  const store = useStore();
  const rows = useWorkflows();
  const chosen = typeof value === "string" ? value : "";
  const known = rows.filter((row) => row.slug !== store.slug && row.version !== null && (!row.archived || row.slug === chosen));
  const choose = (slug: string): void => {
    onChange(slug || undefined);
    const version = rows.find((row) => row.slug === slug)?.version;
    if (version) store.root.amend(look(slug, version));
  };
  return (
    <>
      <select
        id={id}
        className="input"
        aria-describedby={describedBy}
        aria-invalid={isInvalid || undefined}
        value={chosen}
        onChange={(event) => choose(event.target.value)}
      >
        <option value="">Choose…</option>
        {chosen && !known.some((row) => row.slug === chosen) && <option value={chosen}>{chosen} (not published, or gone)</option>}
        {known.map((row) => (
          <option key={row.slug} value={row.slug}>
            {nameIn(row, known)}
          </option>
        ))}
      </select>
      {known.length === 0 && <p className="hint">No other workflow of this account is published.</p>}
      {chosen && (
        <>
          <a className="small" href={`/app/editor/${chosen}`} target="_blank" rel="noreferrer">
            Open {chosen} in a new tab
          </a>
          <ChangeNote node={node} />
          <Interface nodeId={node.id} />
        </>
      )}
    </>
  );
}

/** The name of a workflow, with its slug where others have the same name. */
export function nameIn({ name, slug }: WorkflowRow, rows: readonly WorkflowRow[]): string {
  return rows.some((row) => row.name === name && row.slug !== slug) ? `${name} (${slug})` : name;
}

/** Tells of inputs and outputs that are others than when somebody last looked. */
function ChangeNote({ node }: Pick<WidgetProps, "node">) {
  const store = useStore();
  const slug = calleeOf(node);
  const change = useCalleeChange(node);
  if (!change || !slug) return null;
  return (
    <div className="note warn small" role="status">
      <p>
        Version {change.to} of {slug} is live, and its inputs or outputs differ from version {change.from}:
      </p>
      <ul className="callee-changes">
        {change.reasons.map((reason) => (
          <li key={reason}>{reason}.</li>
        ))}
      </ul>
      <Button isCompact onClick={() => store.root.edit(look(slug, change.to))}>
        I have seen it
      </Button>
    </div>
  );
}

/** Inputs and outputs as the server has checked them. */
function Interface({ nodeId }: { nodeId: string }) {
  const sockets = useEditor(({ check }) => check.sockets[nodeId]);
  if (!sockets) return null;
  return (
    <dl className="callee-sockets" aria-label="Inputs and outputs">
      <dt>Inputs</dt>
      <dd>
        {sockets.inputs.length === 0 && <span className="muted">none</span>}
        {sockets.inputs.map(({ name, type, required }) => (
          <span key={name}>
            <span className={`socket-dot ${type}`} aria-hidden="true" /> {name}
            <span className="muted">
              {" "}
              {type}
              {required && ", required"}
            </span>
          </span>
        ))}
      </dd>
      <dt>Outputs</dt>
      <dd>
        {sockets.outputs.map(({ name }) => (
          <span key={name}>
            <span className="socket-dot any" aria-hidden="true" /> {name}
          </span>
        ))}
      </dd>
    </dl>
  );
}
