import { useState } from "react";
import { ApiError, call } from "../../api/client";
import { WORKFLOWS } from "../../api/paths";
import { MOST_REPLAYED, REPLAYS } from "../../api/replays";
import { invalidate } from "../../api/resource";
import type { ExecutionRow } from "../../api/types";
import { credits } from "../../components/Ago";
import { Dialog, DialogEnd } from "../../components/Dialog";
import { Failed, Loading } from "../../components/States";
import { navigate } from "../../shell/router";
import { AgainstChoice } from "./AgainstChoice";
import { isPart, useCandidates } from "./candidates";
import { CandidateList } from "./CandidateList";
import "./replays.css";

const USUAL = 20;

interface Props {
  slug: string;
  /** Runs that are chosen at first; without any, the last ones are. */
  executionIds?: string[];
  /** The query of a list, whose executions are offered. */
  query?: string;
  /** Saves the draft of an open editor before a replay against it. */
  prepare?: () => Promise<void>;
  /** Called once the replay has a copy of the draft. */
  onStarted?: () => void;
  onClose: () => void;
}

type Calls = "recorded" | "live";

/** Begins a replay: which runs, against which document, with recorded outputs or live. */
export default function ReplayDialog({ slug, executionIds = [], query = "", prepare, onStarted, onClose }: Props) {
  const { rows, error } = useCandidates(slug, query);
  const [isChosen, setIsChosen] = useState(executionIds.length > 0);
  const [last, setLast] = useState(USUAL);
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set(executionIds));
  const [against, setAgainst] = useState<string>();
  const [calls, setCalls] = useState<Calls>("recorded");
  const [fault, setFault] = useState("");
  const [isBusy, setBusy] = useState(false);
  const replayed = isChosen ? (rows ?? []).filter((row) => ids.has(row.executionId)) : (rows ?? []).slice(0, last);
  const count = isChosen ? ids.size : Math.min(last, rows?.length ?? last);
  const start = async (): Promise<void> => {
    setBusy(true);
    setFault("");
    try {
      if (against === "draft") await prepare?.();
      // The last ones of a part of the runs are those that the list has.
      const which = isChosen ? { executionIds: [...ids] } : isPart(query) ? { executionIds: replayed.map((row) => row.executionId) } : { last };
      const target = against === "draft" ? against : Number(against);
      const { replayId } = await call<{ replayId: string }>("POST", `${WORKFLOWS}/${slug}/replay`, { ...which, against: target, calls });
      onStarted?.();
      invalidate(REPLAYS);
      navigate(`/app/replays/${replayId}`);
    } catch (reason) {
      setFault(inWords(reason));
      setBusy(false);
    }
  };
  return (
    <Dialog title={`Replay runs of ${slug}`} onClose={onClose}>
      <fieldset className="stack tight choices-of-replay">
        <legend className="label">Runs</legend>
        <label className="row">
          <input type="radio" name="which" checked={!isChosen} onChange={() => setIsChosen(false)} />
          The last
          <input
            type="number"
            className="input compact"
            aria-label="Number of runs"
            min={1}
            max={MOST_REPLAYED}
            value={last}
            onFocus={() => setIsChosen(false)}
            onChange={(event) => setLast(Math.min(MOST_REPLAYED, Math.max(1, Math.floor(Number(event.target.value) || 1))))}
          />
          of {rows ? `${rows.length >= MOST_REPLAYED ? "at least " : ""}${rows.length}` : "…"} that ended{isPart(query) && ", of this list"}
        </label>
        <label className="row">
          <input type="radio" name="which" checked={isChosen} onChange={() => setIsChosen(true)} />
          Chosen ones
        </label>
        {error && <Failed error={error} />}
        {isChosen && !error && (rows ? <CandidateList rows={rows} chosen={ids} onChoose={setIds} /> : <Loading height="8rem" />)}
      </fieldset>
      <AgainstChoice slug={slug} value={against} hasEditor={prepare !== undefined} onChoose={setAgainst} />
      <CallsChoice calls={calls} replayed={replayed} onChoose={setCalls} />
      <DialogEnd fault={fault} isBusy={isBusy} isDisabled={count === 0 || against === undefined} busyLabel="Starting…" onClose={onClose} onGo={() => void start()}>
        {count === 1 ? "Replay 1 run" : `Replay ${count} runs`}
      </DialogEnd>
    </Dialog>
  );
}

interface CallsProps {
  calls: Calls;
  replayed: readonly ExecutionRow[];
  onChoose: (calls: Calls) => void;
}

function CallsChoice({ calls, replayed, onChoose }: CallsProps) {
  const cost = replayed.reduce((sum, row) => sum + row.creditsCost, 0);
  return (
    <fieldset className="stack tight choices-of-replay">
      <legend className="label">Calls</legend>
      <label className="row">
        <input type="radio" name="calls" checked={calls === "recorded"} onChange={() => onChoose("recorded")} />
        Recorded outputs: calls nobody, costs nothing
      </label>
      <label className="row">
        <input type="radio" name="calls" checked={calls === "live"} onChange={() => onChoose("live")} />
        Live: models and addresses are called again, and charged
      </label>
      <p className="hint" role="status">
        {calls === "recorded"
          ? "A model or a call whose settings or inputs are others than in the run is not called: such a run is shown as unmatched. For a changed prompt, choose Live and few runs."
          : `These runs cost ${credits(cost)} when they ran. Expect about as much, and calls that write something write it again.`}
      </p>
    </fieldset>
  );
}

/** The refusal, with the runs that it names. */
function inWords(reason: unknown): string {
  const { message } = reason as Error;
  const ids = reason instanceof ApiError ? reason.details.executionIds : undefined;
  if (!Array.isArray(ids)) return message;
  const missing = ids.map((each) => String(each).slice(0, 8)).filter((each) => !message.includes(each));
  return missing.length > 0 ? `${message} (${missing.join(", ")})` : message;
}
