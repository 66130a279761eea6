import { Button } from "../../components/Button";
import { toast } from "../../components/Toast";
import { useDocument, useEditor, useStore } from "../document/store";
import { isPinned, pin } from "./values/pins";
import { useRecent } from "./recent";
import { isLive, useNodeWait, useRunning, useRuns } from "./runs";
import { outputsToPin } from "./values/values";

/** Most bytes of pins in the data of the canvas, which has room for 64 KiB. */
const MOST_BYTES = 56_000;

interface Props {
  ids: string[];
  /** The run whose outputs are pinned. */
  executionId?: string | undefined;
  isInDialog?: boolean;
}

/** Actions on the chosen nodes and their runs. */
export function NodeActions({ ids, executionId, isInDialog = false }: Props) {
  const store = useStore();
  const runs = useRuns();
  const live = useRunning(isLive);
  const areUnpinned = useEditor(({ history }) => ids.some((id) => !isPinned(history.present, id)));
  const [only] = ids.length === 1 ? ids : [];
  const wait = useNodeWait(only ?? "");
  // Parts of a draft are run, and outputs pinned, in the graph of the workflow alone.
  const isInside = store.path.length > 0;
  const togglePin = async (): Promise<void> => {
    if (!areUnpinned) return store.edit(pin(Object.fromEntries(ids.map((id) => [id, null]))));
    if (!executionId) return toast("Run the workflow first; its outputs are what is pinned.");
    try {
      await pinAll(store, executionId, ids);
    } catch (error) {
      toast((error as Error).message);
    }
  };
  return (
    <div className="node-actions" role="group" aria-label="Runs of the node">
      {wait?.kind === "approval" && (
        <Button isCompact look="primary" onClick={() => runs.set({ answered: wait, inspected: null })}>
          Answer
        </Button>
      )}
      {only && !isInDialog && (
        <Button isCompact onClick={() => runs.set({ inspected: only })}>
          Values
        </Button>
      )}
      {only && !isInside && (
        <>
          <Button isCompact disabled={live} onClick={() => void runs.start({ only })}>
            Run this node
          </Button>
          <Button isCompact disabled={live} onClick={() => void runs.start({ rerun: only })}>
            Run from here
          </Button>
        </>
      )}
      {!isInside && (
        <Button isCompact aria-pressed={!areUnpinned} onClick={() => void togglePin()}>
          {areUnpinned ? "Pin" : "Unpin"} {ids.length === 1 ? "output" : `${ids.length} outputs`}
        </Button>
      )}
    </div>
  );
}

async function pinAll(store: ReturnType<typeof useStore>, executionId: string, ids: string[]): Promise<void> {
  const pins: Record<string, Record<string, unknown>> = {};
  for (const id of ids) {
    const outputs = await outputsToPin(executionId, id);
    if (outputs) pins[id] = outputs;
  }
  if (Object.keys(pins).length === 0) return toast("That run has no outputs to pin.");
  const next = pin(pins)(store.document);
  if (new Blob([JSON.stringify(next.editor)]).size > MOST_BYTES) {
    return toast("These outputs are too large to pin: all pins together have room for 56 KB.");
  }
  store.edit(pin(pins));
}

/** The actions for the nodes that are selected, below their settings. */
export function SelectedNodeActions() {
  const selection = useEditor((state) => state.selection);
  const nodes = useDocument().nodes.filter((node) => selection.has(node.id) && node.type !== "note");
  const shown = useRunning(({ run }) => run?.executionId);
  const [last] = useRecent();
  if (nodes.length === 0) return null;
  return <NodeActions ids={nodes.map((node) => node.id)} executionId={shown ?? last?.executionId} />;
}
