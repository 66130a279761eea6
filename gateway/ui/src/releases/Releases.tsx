import { useState } from "react";
import { type AliasPage, aliasesPath } from "../api/releases";
import { WORKFLOWS } from "../api/paths";
import { useResource } from "../api/resource";
import type { Workflow } from "../api/types";
import { Button } from "../components/Button";
import { Empty, Failed, Loading } from "../components/States";
import { Link } from "../shell/router";
import { usePageTitle } from "../shell/Shell";
import { AliasPanel } from "./AliasPanel";
import { EditAlias } from "./change/EditAlias";
import { VersionTable } from "./VersionTable";
import "../executions/execution/execution.css";
import "./releases.css";

/** The releases of a workflow: the versions that serve its callers, by alias and share. */
export default function Releases({ slug }: { slug: string }) {
  const workflow = useResource<Workflow>(`${WORKFLOWS}/${slug}`);
  const list = useResource<AliasPage>(aliasesPath(slug));
  const [isCreating, setCreating] = useState(false);
  const name = workflow.data?.name ?? slug;
  usePageTitle(`Releases of ${name}`);
  const error = workflow.error ?? list.error;
  const live = workflow.data?.version ?? null;
  const aliases = workflow.data && list.data?.rows;
  return (
    <>
      <p className="back">
        <Link href="/">Workflows</Link>
      </p>
      <div className="page-head">
        <div>
          <h1>Releases of {name}</h1>
          <p className="row">
            <Link href={`/app/editor/${slug}`}>Editor</Link>
            <Link href={`/app/playground/${slug}`}>Playground</Link>
            <Link href={`/app/executions?workflowSlug=${slug}`}>Executions</Link>
          </p>
        </div>
        {live !== null && <Button onClick={() => setCreating(true)}>New alias</Button>}
      </div>
      {!aliases && (error ? <Failed error={error} retry={() => (workflow.reload(), list.reload())} /> : <Loading height="24rem" />)}
      {aliases && live === null && (
        <Empty title="Nothing was published yet">
          <p>Each publication is a version. Callers get the live one, and a canary tries a new one with a share of them first.</p>
          <Link className="button" href={`/app/editor/${slug}`}>
            Open the editor
          </Link>
        </Empty>
      )}
      {aliases && live !== null && (
        <div className="stack releases">
          {aliases.map((alias) => (
            <AliasPanel key={alias.name} slug={slug} alias={alias} />
          ))}
          <section className="stack" aria-label="Versions">
            <h2>Versions</h2>
            <VersionTable slug={slug} aliases={aliases} />
          </section>
        </div>
      )}
      {isCreating && aliases && <EditAlias slug={slug} taken={aliases.map((each) => each.name)} onClose={() => setCreating(false)} />}
    </>
  );
}
