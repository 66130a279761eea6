import { WORKFLOWS } from "../api/paths";
import { useResource } from "../api/resource";
import type { WorkflowRow } from "../api/types";
import { Empty } from "../components/States";
import { Link } from "../shell/router";

const TEMPLATE = "post-after-approval";
const STEPS = [
  ["Add an Approval", "In the editor, put it before the step that a person must agree to. Its title and message say what is asked."],
  ["Run the workflow", "It stops there, and costs nothing while it waits. What is asked appears here, with the value and a form."],
  ["Answer, or pass the link on", "The approval link asks people without an account. The first answer counts, and the run goes on."],
] as const;

/** The empty inbox: the use of approvals, and the way to a first one. */
export function NoApprovals() {
  const rows = useResource<WorkflowRow[]>(WORKFLOWS).data;
  const hasTemplate = rows?.some((row) => row.slug === TEMPLATE && row.isTemplate);
  return (
    <Empty title="Nothing waits for an answer">
      <p>An approval stops a workflow until a person says yes or no: before money is spent, or before something is published.</p>
      <ol className="approval-steps">
        {STEPS.map(([title, text], place) => (
          <li key={title}>
            <span aria-hidden="true">{place + 1}</span>
            <h3>{title}</h3>
            <p className="small">{text}</p>
          </li>
        ))}
      </ol>
      <div className="row">
        {hasTemplate && (
          <Link className="button" href={`/?new=${TEMPLATE}`}>
            Start from a template
          </Link>
        )}
        <Link className={hasTemplate ? "button quiet" : "button"} href="/">
          Open a workflow
        </Link>
      </div>
    </Empty>
  );
}
