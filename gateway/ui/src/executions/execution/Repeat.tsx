import type { ExecutionDetail } from "../../api/types";
import { isTruncated } from "../../editor/running/values/values";
import { Snippets } from "../../playground/snippets/Snippets";
import { Link } from "../../shell/router";

/** The call that runs the same again; null for a draft, which only the editor runs. */
function addressOf({ workflowSlug: slug, workflowVersion: version, source, modelIds }: ExecutionDetail): string | null {
  if (source === "app-draft") return null;
  if (slug) return `${location.origin}/api/workflows/${slug}/run${version === null ? "" : `?version=${version}`}`;
  return modelIds.length === 1 ? `${location.origin}/api/models/${modelIds[0]}/run` : null;
}

export function Repeat({ execution }: { execution: ExecutionDetail }) {
  const address = addressOf(execution);
  const { inputs } = execution;
  if (!address) return <p className="muted">Drafts are run from the editor.</p>;
  if (inputs === null) return <p className="muted">The inputs were not recorded, so that the call cannot be repeated as it was.</p>;
  const isLarge = isTruncated(inputs);
  const shown = isLarge ? {} : inputs;
  return (
    <div className="stack">
      <p className="muted small">
        The same version with the same inputs. It needs a key in the environment:{" "}
        <Link href="/app/api/keys">create one</Link>.
      </p>
      <Snippets url={address} inputs={shown} />
      {isLarge && (
        <p className="muted small">
          The inputs are too large for this page: <a href={inputs.url}>open them</a>, and put them in the place of{" "}
          <code>{"{}"}</code>.
        </p>
      )}
    </div>
  );
}
