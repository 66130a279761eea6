import { useState } from "react";
import { type Alias, LIVE, putAlias } from "../../api/releases";
import { Dialog, DialogEnd } from "../../components/Dialog";
import { TextField } from "../../components/TextField";
import { toast } from "../../components/Toast";
import { callersOf } from "../words";
import { useVersions } from "../useVersions";
import { CanaryFields } from "./CanaryFields";
import { faultsOf, ruleOf, textsOf, USUAL } from "./canaryForm";
import { VersionField } from "./VersionField";

const NAME = /^[a-z][a-z0-9-]{0,31}$/;

interface Props {
  slug: string;
  /** Undefined: a new one. */
  alias?: Alias;
  /** Names that are taken. */
  taken?: string[];
  isCanaryWanted?: boolean;
  onClose: () => void;
}

/** Sets the version of an alias, and the canary beside it. */
export function EditAlias({ slug, alias, taken = [], isCanaryWanted = false, onClose }: Props) {
  const versions = useVersions(slug) ?? [];
  const [name, setName] = useState(alias?.name ?? "");
  const [version, setVersion] = useState(String(alias?.version ?? ""));
  const [hasCanary, setCanary] = useState(isCanaryWanted);
  const [canaryVersion, setCanaryVersion] = useState(String(alias?.canary?.version ?? ""));
  const [texts, setTexts] = useState(alias?.canary ? textsOf(alias.canary) : USUAL);
  const [wasTried, setTried] = useState(false);
  const [fault, setFault] = useState("");
  const [isBusy, setBusy] = useState(false);
  const faults = {
    name: alias ? "" : nameFault(name, taken),
    version: version ? "" : "Choose the version that its callers get.",
    canary: !hasCanary || (canaryVersion && canaryVersion !== version) ? "" : "Choose another version that gets a share of the runs.",
    rule: hasCanary ? faultsOf(texts) : {},
  };
  const isWhole = !faults.name && !faults.version && !faults.canary && Object.keys(faults.rule).length === 0;
  const shown = wasTried ? faults : { name: "", version: "", canary: "", rule: {} };
  const save = async (): Promise<void> => {
    setTried(true);
    if (!isWhole) return;
    setBusy(true);
    setFault("");
    try {
      const canary = hasCanary ? { version: Number(canaryVersion), ...ruleOf(texts) } : null;
      await putAlias(slug, name, Number(version), canary);
      toast(canary ? `${canary.percent} % of the runs of ${name} get version ${canary.version} now` : `${name} is version ${version} now`);
      onClose();
    } catch (error) {
      setFault((error as Error).message);
      setBusy(false);
    }
  };
  return (
    <Dialog title={titleOf(alias, isCanaryWanted)} onClose={onClose}>
      {alias ? (
        <p className="muted">{isCanaryWanted ? `${callersOf(alias.name)} get version ${alias.version}, and a share of their runs another one.` : `${callersOf(alias.name)} get the version of your choice.`}</p>
      ) : (
        <TextField label="Name" hint={`Callers name it in ?version=${name || "stable"}.`} value={name} onChange={setName} spellCheck={false} autoComplete="off" {...(shown.name && { fault: shown.name })} />
      )}
      {!isCanaryWanted && <VersionField label="Version" versions={versions} value={version} fault={shown.version} onChange={setVersion} />}
      {alias?.name !== LIVE && !isCanaryWanted && (
        <label className="row release-check">
          <input type="checkbox" checked={hasCanary} onChange={(event) => setCanary(event.target.checked)} />
          <span>Begin with a canary: another version gets a share of the runs</span>
        </label>
      )}
      {hasCanary && <VersionField label="Version of the canary" versions={versions} except={Number(version)} value={canaryVersion} fault={shown.canary} onChange={setCanaryVersion} />}
      {hasCanary && <CanaryFields texts={texts} faults={shown.rule} onChange={setTexts} />}
      {alias?.canary && isCanaryWanted && <p className="hint">A changed canary is counted from now on.</p>}
      <DialogEnd fault={fault} isBusy={isBusy} busyLabel="Saving…" onClose={onClose} onGo={() => void save()}>
        Save
      </DialogEnd>
    </Dialog>
  );
}

function titleOf(alias: Alias | undefined, isCanaryWanted: boolean): string {
  if (!alias) return "New alias";
  if (!isCanaryWanted) return `Version of ${alias.name}`;
  return alias.canary ? `Canary of ${alias.name}` : `Begin a canary of ${alias.name}`;
}

function nameFault(name: string, taken: string[]): string {
  if (!NAME.test(name)) return "Small letters, digits and hyphens, with a letter first; at most 32.";
  if (name === "draft" || name === LIVE) return `"${name}" has a meaning of its own: choose another name.`;
  return taken.includes(name) ? "There is such an alias already." : "";
}
