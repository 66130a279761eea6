import { useId } from "react";
import { type AliasPage, aliasesPath, type Canary, LIVE, releasesAddress } from "../../api/releases";
import { useResource } from "../../api/resource";
import type { Page, WorkflowVersion } from "../../api/types";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { toast } from "../../components/Toast";
import { Link } from "../../shell/router";
import { DifferenceView } from "../difference/DifferenceView";
import { useDocument, useEditor, useStore } from "../document/store";
import { useSaver } from "../saving/context";
import { ReleaseChoice } from "./ReleaseChoice";
import { countOf, useStanding } from "./state";
import { TestsSaid, useTests } from "./TestsSaid";
import { usePublication } from "./usePublication";

const MAX_NOTE = 1_000;

/** The difference of the draft to the live version, and its publication. */
export function PublishDialog({ onClose }: { onClose: () => void }) {
  const id = useId();
  const { slug } = useStore();
  const document = useDocument();
  const live = useEditor((state) => state.saving.live);
  const { changes, problems, liveVersion } = useStanding();
  const tests = useTests();
  const form = usePublication((tests?.rows.length ?? 0) > 0, onClose);
  const { breaking, callers, reason } = form.refusal;
  const newest = useResource<Page<WorkflowVersion>>(liveVersion === null ? null : `/api/workflows/${slug}/versions?limit=1`).data?.rows[0];
  const canary = useResource<AliasPage>(liveVersion === null ? null : aliasesPath(slug)).data?.rows.find(({ name }) => name === LIVE)?.canary;
  const next = Math.max(newest?.version ?? 0, liveVersion ?? 0) + 1;
  const isSame = live !== null && changes === 0;
  return (
    <Dialog title={isSame ? "Nothing new to publish" : `Publish version ${next}`} onClose={onClose}>
      {problems > 0 && <Blocked count={problems} onClose={onClose} />}
      {breaking.length > 0 && (
        <div className="note warn breaking" role="alert" ref={scrollTo}>
          <strong>This breaks callers of version {liveVersion}</strong>
          <ul>
            {breaking.map((each) => (
              <li key={each}>{each}</li>
            ))}
          </ul>
          {callers.length > 0 && <p>These workflows call it: {callers.join(", ")}</p>}
        </div>
      )}
      {canary && !isSame && <EndsCanary slug={slug} canary={canary} />}
      {!isSame && (
        <div className="field">
          <label htmlFor={id}>
            Note <span className="optional">for the list of versions</span>
          </label>
          <textarea id={id} className="input note-input" maxLength={MAX_NOTE} value={form.note} onChange={(event) => form.setNote(event.target.value)} />
        </div>
      )}
      {!isSame && tests && <TestsSaid tests={tests} isRequired={form.isRequired} onRequire={form.setRequired} onClose={onClose} />}
      {liveVersion !== null && !isSame && (
        <ReleaseChoice way={form.way} texts={form.texts} faults={form.faults} liveVersion={liveVersion} onWay={form.setWay} onTexts={form.setTexts} />
      )}
      {live === null ? (
        <p>Nobody can call this workflow yet. Once it is published, its endpoint runs this version.</p>
      ) : (
        <DifferenceView before={live} after={document} none={`Callers run version ${liveVersion}, which is just as this draft. Change the draft first.`} />
      )}
      {reason && (
        <p className="note bad" role="alert">
          {reason}
        </p>
      )}
      <div className="actions">
        {live !== null && !isSame && <Discard onDone={onClose} onFail={form.fail} />}
        <Button onClick={onClose}>{isSame ? "Close" : "Cancel"}</Button>
        {!isSame && (
          <Button look="primary" disabled={form.isBusy || problems > 0} onClick={() => void form.publish()}>
            {form.isBusy ? "Publishing…" : breaking.length > 0 ? "Publish anyway" : form.way === "canary" ? "Publish as a canary" : "Publish now"}
          </Button>
        )}
      </div>
    </Dialog>
  );
}

/** Tells that another publication ends the canary, which may be promoted instead. */
function EndsCanary({ slug, canary }: { slug: string; canary: Canary }) {
  return (
    <p className="note">
      Version {canary.version} is the canary of the live version. Another publication ends it; <Link href={releasesAddress(slug)}>promote or take it back</Link> first
      where you want to keep its number.
    </p>
  );
}

function scrollTo(element: HTMLElement | null): void {
  element?.scrollIntoView({ block: "center" });
}

function Blocked({ count, onClose }: { count: number; onClose: () => void }) {
  const store = useStore();
  return (
    <div className="note bad row spread" role="alert">
      <span>{countOf(count, "problem")} to solve before this can be published.</span>
      <Button
        isCompact
        onClick={() => {
          store.set({ panel: "problems" });
          onClose();
        }}
      >
        Show the checklist
      </Button>
    </div>
  );
}

function Discard({ onDone, onFail }: { onDone: () => void; onFail: (reason: string) => void }) {
  const store = useStore();
  const saver = useSaver();
  const discard = async (): Promise<void> => {
    try {
      await saver.discard();
      toast("Discarded the draft", { label: "Undo", run: store.undo });
      onDone();
    } catch (error) {
      onFail((error as Error).message);
    }
  };
  return (
    <Button look="quiet" isDanger className="to-start" onClick={() => void discard()}>
      Discard draft
    </Button>
  );
}
