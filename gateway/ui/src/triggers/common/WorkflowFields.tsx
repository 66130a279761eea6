import { useId } from "react";
import { WORKFLOWS } from "../../api/paths";
import { useResource } from "../../api/resource";
import type { WorkflowRow } from "../../api/types";
import { TextField } from "../../components/TextField";
import { Link } from "../../shell/router";
import type { CommonSettings } from "./useCommon";

interface Props {
  common: CommonSettings;
  /** The name that a trigger gets where none is typed. */
  unnamed: string;
}

/** The workflow that a trigger runs, and the trigger's name. */
export function WorkflowFields({ common: { values, faults, change }, unnamed }: Props) {
  return (
    <>
      <WorkflowField slug={values.slug} fault={faults.workflowSlug} onChange={(slug) => change({ slug, version: "" })} />
      <TextField label="Name" placeholder={unnamed} value={values.name} fault={faults.name} onChange={(name) => change({ name })} autoComplete="off" />
    </>
  );
}

function WorkflowField({ slug, fault, onChange }: { slug: string; fault?: string; onChange: (slug: string) => void }) {
  const id = useId();
  const rows = useResource<WorkflowRow[]>(WORKFLOWS).data;
  const own = rows?.filter((row) => !row.isTemplate && !row.archived && row.version !== null) ?? [];
  const isListed = slug === "" || own.some((row) => row.slug === slug);
  return (
    <div className="field">
      <label htmlFor={id}>Workflow</label>
      <select
        id={id}
        className="input"
        value={slug}
        aria-invalid={fault ? true : undefined}
        aria-describedby={`${id}-hint`}
        onChange={(event) => onChange(event.target.value)}
      >
        <option value="" disabled>
          Choose one
        </option>
        {!isListed && <option>{slug}</option>}
        {own.map((row) => (
          <option key={row.slug} value={row.slug}>
            {row.name} ({row.slug})
          </option>
        ))}
      </select>
      <p id={`${id}-hint`} className={fault ? "fault" : "hint"}>
        {fault}
        {!fault && rows && own.length === 0 && (
          <>
            No workflow is published yet. <Link href="/">Make one</Link>
          </>
        )}
      </p>
    </div>
  );
}
