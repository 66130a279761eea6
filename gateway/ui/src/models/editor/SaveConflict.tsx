import type { ManifestSource } from "../../api/types";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { LineDifference } from "../model/LineDifference";

interface Props {
  conflict: ManifestSource;
  own: string;
  onKeep: () => void;
  onTakeTheirs: () => void;
  onClose: () => void;
}

/** Asks which manifest counts when somebody else has saved one meanwhile. */
export function SaveConflict({ conflict, own, onKeep, onTakeTheirs, onClose }: Props) {
  return (
    <Dialog title={`Version ${conflict.version} was saved meanwhile`} onClose={onClose} isWide>
      <p>What differs in yours:</p>
      <LineDifference before={conflict.manifest} after={own} />
      <div className="actions">
        <Button look="quiet" onClick={onClose} autoFocus>
          Go on editing
        </Button>
        <Button onClick={onTakeTheirs}>Take version {conflict.version}</Button>
        <Button look="primary" onClick={onKeep}>
          Save mine over it
        </Button>
      </div>
    </Dialog>
  );
}
