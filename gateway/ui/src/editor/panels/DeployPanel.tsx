import { lazy, Suspense, useMemo } from "react";
import { releasesAddress } from "../../api/releases";
import { useResource } from "../../api/resource";
import type { GraphNode, PublicSchema } from "../../api/types";
import { CopyButton } from "../../components/CopyButton";
import { Loading } from "../../components/States";
import { Snippets } from "../../playground/snippets/Snippets";
import { LocalFile } from "../../playground/snippets/uploads";
import { Link } from "../../shell/router";
import { bodyOf } from "../bodies/body";
import { AGENT, approvedOf } from "../settings/calls/tools/tools";
import { useDocument, useEditor, useStore } from "../document/store";
import { countOf, useStanding } from "../publishing/state";
import { setMember } from "./members";

// Most sessions of the editor do without it.
const WorkflowTriggers = lazy(() => import("../../triggers/WorkflowTriggers"));

/** The way from the workflow to code that calls it, and to triggers that start it. */
export function DeployPanel() {
  const store = useStore();
  const { slug } = store;
  const { publicPlayground, nodes } = useDocument();
  const live = useEditor((state) => state.saving.live);
  const { changes, liveVersion } = useStanding();
  const path = `/api/workflows/${slug}`;
  // Another version may have other inputs, so its number is in the address.
  const schema = useResource<PublicSchema>(liveVersion === null ? null : `${path}/schema?version=${liveVersion}`).data;
  const inputs = useMemo(() => Object.fromEntries((schema?.fields ?? []).map((field) => [field.name, sampleOf(field)])), [schema]);
  const endpoint = `${location.origin}${path}/run`;
  return (
    <div className="stack">
      <h2>Deploy</h2>
      {liveVersion === null ? (
        <p className="note">Nobody can call this workflow yet: publish it first.</p>
      ) : (
        <p className="note">
          Callers run version {liveVersion}. {changes > 0 ? `The draft has ${countOf(changes, "change")} that they do not get yet.` : "The draft is the same."}
        </p>
      )}
      <section className="stack" aria-label="Endpoint">
        <h3>Endpoint</h3>
        <div className="endpoint">
          <code title={endpoint}>POST {path}/run</code>
          <CopyButton text={endpoint} name="Copy endpoint" />
        </div>
      </section>
      {schema && <InputList fields={schema.fields} />}
      {live && <Snippets isWrapped url={endpoint} inputs={inputs} />}
      {liveVersion !== null && <AsTool slug={slug} />}
      {liveVersion !== null && (
        <section className="stack" aria-label="Triggers">
          <h3>Triggers</h3>
          <Suspense fallback={<Loading height="5rem" />}>
            <WorkflowTriggers slug={slug} />
          </Suspense>
        </section>
      )}
      <section className="stack" aria-label="Playground">
        <h3>Playground</h3>
        <label className="labelled-switch">
          <input type="checkbox" role="switch" checked={publicPlayground} aria-describedby="public-fault" onChange={(event) => setMember(store, "publicPlayground", event.target.checked)} />
          <span>Public playground</span>
        </label>
        {publicPlayground && asksPeople(nodes) && (
          <p className="fault" id="public-fault">
            A workflow that asks people cannot be public: other accounts would run it, and nobody could answer them.
          </p>
        )}
        <p className="hint">Anybody signed in may try the workflow on its page and pays with own credits. It takes effect once published.</p>
      </section>
      <ul className="links">
        <li>
          <Link href={`/app/playground/${slug}`}>Open the playground</Link>
        </li>
        <li>
          <Link href="/app/api/keys">API keys and webhooks</Link>
        </li>
        {liveVersion !== null && (
          <li>
            <Link href={releasesAddress(slug)}>Releases: aliases and canaries</Link>
          </li>
        )}
        {liveVersion !== null && (
          <li>
            <a href={`${path}/schema`}>Schema of the inputs (JSON)</a>
          </li>
        )}
        <li>
          <a href="/docs">API reference</a>
        </li>
      </ul>
    </div>
  );
}

/** The address for programs that call workflows as tools of a model. */
function AsTool({ slug }: { slug: string }) {
  const address = `${location.origin}/mcp`;
  return (
    <section className="stack" aria-label="As a tool">
      <h3>As a tool (MCP)</h3>
      <div className="endpoint">
        <code title={address}>{address}</code>
        <CopyButton text={address} name="Copy address for MCP" />
      </div>
      <p className="hint">
        A coding assistant or a chat finds this workflow there as the tool <code>{slug}</code>, with OAuth or an API key. A model chooses it by its description.
      </p>
    </section>
  );
}

/** Whether there is an approval, also before calls of tools, and in the graphs inside of nodes. */
function asksPeople(nodes: readonly GraphNode[]): boolean {
  const asks = ({ type, data }: GraphNode): boolean => type === "approval" || (type === AGENT && approvedOf(data).length > 0);
  return nodes.some((node) => asks(node) || asksPeople(bodyOf(node)?.nodes ?? []));
}

function InputList({ fields }: { fields: PublicSchema["fields"] }) {
  return (
    <section className="stack" aria-label="Inputs">
      <h3>Inputs</h3>
      {fields.length === 0 ? (
        <p className="hint">This workflow takes no inputs.</p>
      ) : (
        <ul className="inputs">
          {fields.map((field) => (
            <li key={field.name}>
              <code>{field.name}</code> <span className="muted">{field.type}{field.required ? ", required" : ""}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function sampleOf(field: PublicSchema["fields"][number]): unknown {
  if (field.default !== undefined && field.default !== null) return field.default;
  switch (field.type) {
    case "number":
    case "slider":
      return field.min ?? 1;
    case "toggle":
      return false;
    case "pills":
      return field.options?.[0] ?? "";
    case "json":
      return {};
    case "image":
    case "video":
    case "audio":
    case "file":
      return new LocalFile(field.type);
    default:
      return field.label || field.name;
  }
}
