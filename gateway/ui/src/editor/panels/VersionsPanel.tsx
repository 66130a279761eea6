import { useState } from "react";
import { releasesAddress } from "../../api/releases";
import { useResource } from "../../api/resource";
import type { Page, Workflow, WorkflowVersion } from "../../api/types";
import { Ago } from "../../components/Ago";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { Failed, Loading } from "../../components/States";
import { toast } from "../../components/Toast";
import { Link } from "../../shell/router";
import { DifferenceView } from "../difference/DifferenceView";
import { documentOf, type EditorDocument } from "../document/document";
import { useDocument, useEditor, useStore } from "../document/store";
import { countOf } from "../publishing/state";
import { useSaver } from "../saving/context";

type Task = { kind: "compare" | "restore"; version: number };

/** The versions, newest first: compare one with the draft, or make callers run it again. */
export function VersionsPanel() {
  const { slug } = useStore();
  const liveVersion = useEditor((state) => state.saving.liveVersion);
  const path = `/api/workflows/${slug}/versions?limit=200`;
  const { data, error, reload } = useResource<Page<WorkflowVersion>>(liveVersion === null ? null : path);
  const [task, setTask] = useState<Task | null>(null);
  return (
    <div className="stack">
      <h2>Versions</h2>
      {liveVersion !== null && (
        <p>
          <Link href={releasesAddress(slug)}>Releases: who gets which version</Link>
        </p>
      )}
      {liveVersion === null && <p className="hint">Nothing was published yet. Each publication is a version here.</p>}
      {error && !data && <Failed error={error} retry={reload} />}
      {liveVersion !== null && !data && !error && <Loading />}
      <ol className="versions">
        {data?.rows.map((row) => (
          <li key={row.version} aria-label={`Version ${row.version}`} data-live={row.version === liveVersion || undefined}>
            <p className="row spread">
              <strong>Version {row.version}</strong>
              {row.version === liveVersion && <span className="badge good">● Live</span>}
              {row.isCanary && <span className="badge active">Canary</span>}
            </p>
            {row.note && <p className="version-note">{row.note}</p>}
            <p className="small muted">
              <Ago at={row.createdAt} />, {countOf(row.nodeCount, "node")}
            </p>
            <div className="row">
              <Button isCompact onClick={() => setTask({ kind: "compare", version: row.version })}>
                Compare with draft
              </Button>
              {row.isCanary && (
                <Link href={releasesAddress(slug)} className="button compact">
                  Promote or take back
                </Link>
              )}
              {row.version !== liveVersion && !row.isCanary && (
                <Button isCompact onClick={() => setTask({ kind: "restore", version: row.version })}>
                  Roll back
                </Button>
              )}
            </div>
          </li>
        ))}
      </ol>
      {task?.kind === "compare" && <Compare version={task.version} onClose={() => setTask(null)} />}
      {task?.kind === "restore" && <RollBack version={task.version} onClose={() => setTask(null)} />}
    </div>
  );
}

interface Props {
  version: number;
  onClose: () => void;
}

function useVersion(version: number): { document?: EditorDocument; fault?: string } {
  const { slug } = useStore();
  const { data, error } = useResource<Workflow>(`/api/workflows/${slug}/versions/${version}`);
  if (data) return { document: documentOf(data) };
  return error ? { fault: error.message } : {};
}

function Compare({ version, onClose }: Props) {
  const store = useStore();
  const draft = useDocument();
  const { document, fault } = useVersion(version);
  const copyToDraft = (): void => {
    if (!document) return;
    store.edit((present) => ({ ...document, viewport: present.viewport }));
    toast(`The draft is as version ${version} now`, { label: "Undo", run: store.undo });
    onClose();
  };
  return (
    <Dialog title={`From version ${version} to the draft`} onClose={onClose}>
      {fault && <p className="note bad">{fault}</p>}
      {document ? <DifferenceView before={document} after={draft} none={`The draft is as version ${version}.`} /> : !fault && <Loading />}
      <div className="actions">
        <Button look="quiet" className="to-start" disabled={!document} onClick={copyToDraft}>
          Copy version {version} into the draft
        </Button>
        <Button onClick={onClose}>Close</Button>
      </div>
    </Dialog>
  );
}

function RollBack({ version, onClose }: Props) {
  const saver = useSaver();
  const live = useEditor((state) => state.saving.live);
  const liveVersion = useEditor((state) => state.saving.liveVersion) ?? 0;
  const hasDraft = useEditor((state) => state.saving.revision > 0);
  const { document, fault } = useVersion(version);
  const [failure, setFailure] = useState("");
  const [isBusy, setBusy] = useState(false);
  const restore = async (): Promise<void> => {
    setBusy(true);
    try {
      const made = await saver.restore(version);
      toast(`Callers run version ${made} now, which is as version ${version}`);
      onClose();
    } catch (error) {
      setFailure((error as Error).message);
      setBusy(false);
    }
  };
  return (
    <Dialog title={`Roll back to version ${version}`} onClose={onClose}>
      <p>
        Callers get version {version} again, as version {liveVersion + 1}. Runs that have begun end on version {liveVersion}.
        {hasDraft && " Your draft stays as it is."}
      </p>
      {document && live ? (
        <DifferenceView before={live} after={document} none="It is as the version that callers run now." />
      ) : (
        !fault && <Loading />
      )}
      {(fault || failure) && (
        <p className="note bad" role="alert">
          {fault || failure}
        </p>
      )}
      <div className="actions">
        <Button onClick={onClose}>Cancel</Button>
        <Button look="primary" disabled={isBusy || !document} onClick={() => void restore()}>
          Roll back
        </Button>
      </div>
    </Dialog>
  );
}
