import { Ago } from "../../components/Ago";
import { Button } from "../../components/Button";
import { useEditor, useStore } from "../document/store";
import { useSaver } from "./context";

/** Note about changes that this browser had kept, with a button that discards them. */
export function Recovered() {
  const store = useStore();
  const saver = useSaver();
  const at = useEditor((state) => state.saving.recoveredAt);
  if (at === null) return null;
  const keepChanges = (): void => store.set({ saving: { ...store.get().saving, recoveredAt: null } });
  return (
    <div className="editor-notice" role="status">
      <span>
        Changes from <Ago at={at} /> had not reached the server. This browser kept them, and they are back.
      </span>
      <Button isCompact onClick={keepChanges}>
        Keep them
      </Button>
      <Button look="quiet" isCompact onClick={() => saver.dropRecovered()}>
        Discard them
      </Button>
    </div>
  );
}
