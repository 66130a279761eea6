import { lazy, Suspense, useState } from "react";
import { Button } from "../../components/Button";
import { Link } from "../../shell/router";
import { useStore } from "../document/store";

const ReplayDialog = lazy(() => import("../../executions/replays/ReplayDialog"));

/** The way to a replay of former runs against the draft. */
export function ReplayPart() {
  const store = useStore();
  const [isOpen, setOpen] = useState(false);
  return (
    <section className="stack tight" aria-label="Replay">
      <h3>Replay</h3>
      <p className="hint">Runs that callers made, against this draft: which results would differ? With recorded outputs it calls nobody and costs nothing.</p>
      <div className="row">
        <Button isCompact onClick={() => setOpen(true)}>
          Replay former runs…
        </Button>
        <Link className="small" href="/app/replays">
          All replays
        </Link>
      </div>
      {isOpen && (
        <Suspense fallback={null}>
          <ReplayDialog slug={store.slug} prepare={() => store.saveNow()} onStarted={() => void store.dropUnchanged()} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </section>
  );
}
