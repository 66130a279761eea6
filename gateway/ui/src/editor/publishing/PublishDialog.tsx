import { useId, useState } from "react";
import { ApiError } from "../../api/client";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { toast } from "../../components/Toast";
import { DifferenceView } from "../difference/DifferenceView";
import { useDocument, useEditor, useStore } from "../document/store";
import { useSaver } from "../saving/context";
import { countOf, useStanding } from "./state";

const MAX_NOTE = 1_000;

/** The difference of the draft to the live version, and its publication. */
export function PublishDialog({ onClose }: { onClose: () => void }) {
  const id = useId();
  const saver = useSaver();
  const document = useDocument();
  const live = useEditor((state) => state.saving.live);
  const { changes, problems, liveVersion } = useStanding();
  const [note, setNote] = useState("");
  const [breaking, setBreaking] = useState<string[]>([]);
  const [callers, setCallers] = useState<string[]>([]);
  const [fault, setFault] = useState("");
  const [isBusy, setBusy] = useState(false);
  const isSame = live !== null && changes === 0;
  const publish = async (): Promise<void> => {
    setBusy(true);
    setFault("");
    try {
      await saver.publish(note.trim(), breaking.length > 0);
      onClose();
    } catch (error) {
      if (error instanceof ApiError && error.code === "BREAKING_CHANGE") {
        setBreaking(error.details.changes as string[]);
        setCallers(error.details.usedBy as string[]);
      } else setFault((error as Error).message);
      setBusy(false);
    }
  };
  return (
    <Dialog title={isSame ? "Nothing new to publish" : `Publish version ${(liveVersion ?? 0) + 1}`} onClose={onClose}>
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
      {!isSame && (
        <div className="field">
          <label htmlFor={id}>
            Note <span className="optional">for the list of versions</span>
          </label>
          <textarea id={id} className="input note-input" maxLength={MAX_NOTE} value={note} onChange={(event) => setNote(event.target.value)} />
        </div>
      )}
      {live === null ? (
        <p>Nobody can call this workflow yet. Once it is published, its endpoint runs this version.</p>
      ) : (
        <DifferenceView before={live} after={document} none={`Callers run version ${liveVersion}, which is just as this draft. Change the draft first.`} />
      )}
      {fault && (
        <p className="note bad" role="alert">
          {fault}
        </p>
      )}
      <div className="actions">
        {live !== null && !isSame && <Discard onDone={onClose} onFail={setFault} />}
        <Button onClick={onClose}>{isSame ? "Close" : "Cancel"}</Button>
        {!isSame && (
          <Button look="primary" disabled={isBusy || problems > 0} onClick={() => void publish()}>
            {isBusy ? "Publishing…" : breaking.length > 0 ? "Publish anyway" : "Publish now"}
          </Button>
        )}
      </div>
    </Dialog>
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
