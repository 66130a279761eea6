import { useState } from "react";
import { type Alias, type Canary, LIVE, promote } from "../../api/releases";
import { Dialog, DialogEnd } from "../../components/Dialog";
import { toast } from "../../components/Toast";
import { callersOf } from "../words";

interface Props {
  slug: string;
  alias: Alias;
  canary: Canary;
  onClose: () => void;
}

/** Asks before the canary becomes the version of its alias. */
export function Promote({ slug, alias, canary, onClose }: Props) {
  const [fault, setFault] = useState("");
  const [isBusy, setBusy] = useState(false);
  const go = async (): Promise<void> => {
    setBusy(true);
    try {
      await promote(slug, alias.name);
      toast(`All runs of ${alias.name} get version ${canary.version} now`);
      onClose();
    } catch (error) {
      setFault((error as Error).message);
      setBusy(false);
    }
  };
  return (
    <Dialog title={`Promote version ${canary.version}?`} onClose={onClose}>
      <p>
        {callersOf(alias.name)} all get version {canary.version} then, in place of version {alias.version}. Runs that have begun end on their version.
        {alias.name === LIVE && ` It keeps its number, and version ${alias.version} stays in the list of versions.`}
      </p>
      <DialogEnd fault={fault} isBusy={isBusy} busyLabel="Promoting…" onClose={onClose} onGo={() => void go()}>
        Promote
      </DialogEnd>
    </Dialog>
  );
}
