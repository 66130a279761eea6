import { useState } from "react";
import { type Alias, type AliasHistory, deleteAlias, LIVE, putAlias } from "../api/releases";
import { useResource } from "../api/resource";
import { Ago } from "../components/Ago";
import { Button } from "../components/Button";
import { CopyButton } from "../components/CopyButton";
import { toast } from "../components/Toast";
import { CanaryView } from "./canary/CanaryView";
import { EditAlias } from "./change/EditAlias";
import { Promote } from "./change/Promote";
import { HistoryList, historyPath } from "./HistoryList";
import { ShareBar } from "./ShareBar";
import { changeInWords, isTakenBack } from "./words";

type Task = "edit" | "canary" | "promote";

/** One alias: the versions that serve its callers, its canary and its history. */
export function AliasPanel({ slug, alias }: { slug: string; alias: Alias }) {
  const { name, canary } = alias;
  const [task, setTask] = useState<Task | null>(null);
  const close = (): void => setTask(null);
  const path = name === LIVE ? `/api/workflows/${slug}/run` : `/api/workflows/${slug}/run?version=${name}`;
  return (
    <article className="panel stack alias" aria-labelledby={`alias-${name}`}>
      <div className="row spread">
        <h2 id={`alias-${name}`}>{name}</h2>
        <Actions slug={slug} alias={alias} onTask={setTask} />
      </div>
      <div className="endpoint">
        <code title={path}>POST {path}</code>
        <CopyButton text={location.origin + path} name={`Copy address of ${name}`} />
      </div>
      <TakenBack slug={slug} name={name} />
      <ShareBar alias={alias} />
      {canary && <CanaryView slug={slug} alias={alias} canary={canary} />}
      <details className="alias-history">
        <summary>History</summary>
        <HistoryList slug={slug} name={name} />
      </details>
      {task === "promote" && canary && <Promote slug={slug} alias={alias} canary={canary} onClose={close} />}
      {(task === "edit" || task === "canary") && <EditAlias slug={slug} alias={alias} isCanaryWanted={task === "canary"} onClose={close} />}
    </article>
  );
}

function Actions({ slug, alias, onTask }: { slug: string; alias: Alias; onTask: (task: Task) => void }) {
  const { name, version, canary } = alias;
  const act = (work: Promise<unknown>, done: string, undo: () => Promise<unknown>): void => {
    const back = (): void => void undo().then(() => toast(`${name} is as before`), complain);
    work.then(() => toast(done, { label: "Undo", run: back }), complain);
  };
  if (canary) {
    return (
      <div className="row">
        <Button isCompact onClick={() => onTask("canary")}>
          Change canary
        </Button>
        <Button
          isCompact
          isDanger
          onClick={() => act(putAlias(slug, name, version), `Version ${canary.version} gets no more runs`, () => putAlias(slug, name, version, canary))}
        >
          Take back
        </Button>
        <Button isCompact look="primary" onClick={() => onTask("promote")}>
          Promote version {canary.version}
        </Button>
      </div>
    );
  }
  return (
    <div className="row">
      {name !== LIVE && (
        <>
          <Button isCompact look="quiet" isDanger onClick={() => act(deleteAlias(slug, name), `Deleted ${name}`, () => putAlias(slug, name, version))}>
            Delete
          </Button>
          <Button isCompact onClick={() => onTask("edit")}>
            Change version
          </Button>
        </>
      )}
      <Button isCompact onClick={() => onTask("canary")}>
        Begin a canary
      </Button>
    </div>
  );
}

const complain = (error: Error): void => toast(error.message);

/** Tells a canary that was taken back by itself, until the alias changes again. */
function TakenBack({ slug, name }: { slug: string; name: string }) {
  const newest = useResource<AliasHistory>(historyPath(slug, name)).data?.rows[0];
  if (!newest || !isTakenBack(newest)) return null;
  return (
    <div className="note warn" role="status">
      <p>
        <strong>{changeInWords(newest)}</strong>, <Ago at={newest.at} />.
      </p>
      {newest.reason && <p className="small">{newest.reason}</p>}
    </div>
  );
}
