import { call } from "../../api/client";
import { MODELS } from "../../api/paths";
import { invalidate } from "../../api/resource";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { toast } from "../../components/Toast";
import { navigate } from "../../shell/router";

/** Asks before a saved model is deleted. */
export function DeleteModel({ name, onClose }: { name: string; onClose: () => void }) {
  const remove = async (): Promise<void> => {
    onClose();
    try {
      await call("DELETE", `${MODELS}/${name}`);
      toast(`Deleted ${name}`);
      navigate("/app/models");
    } catch (error) {
      toast((error as Error).message);
    }
    // The page of the model is gone by then, so that its manifest is not asked for again.
    setTimeout(() => invalidate(MODELS));
  };
  return (
    <Dialog title={`Delete ${name}?`} onClose={onClose}>
      <p>
        A model of this name that ships, or is a file, counts again. Without one, workflows that call it answer with an error until a model has
        this name again.
      </p>
      <p className="muted small">Its versions are kept: a model that is saved under this name counts them on.</p>
      <div className="actions">
        <Button look="quiet" onClick={onClose} autoFocus>
          Keep it
        </Button>
        <Button isDanger onClick={() => void remove()}>
          Delete model
        </Button>
      </div>
    </Dialog>
  );
}
