/** A publication as somebody fills it in, and its way to the server. */

import { useState } from "react";
import { ApiError } from "../../api/client";
import { releasesAddress } from "../../api/releases";
import { toast } from "../../components/Toast";
import { type CanaryFaults, faultsOf, ruleOf, USUAL } from "../../releases/change/canaryForm";
import { navigate } from "../../shell/router";
import { useStore } from "../document/store";
import { useSaver } from "../saving/context";
import type { ReleaseWay } from "./ReleaseChoice";

interface Refusal {
  /** Changes that break callers, and the workflows that call it. */
  breaking: string[];
  callers: string[];
  reason: string;
}

const NONE: Refusal = { breaking: [], callers: [], reason: "" };

/** `hasTests`: all must have passed, unless somebody says otherwise. */
export function usePublication(hasTests: boolean, onDone: () => void) {
  const { slug } = useStore();
  const saver = useSaver();
  const [note, setNote] = useState("");
  const [way, setWay] = useState<ReleaseWay>("live");
  const [texts, setTexts] = useState(USUAL);
  const [isRequired, setRequired] = useState(true);
  const [wasTried, setTried] = useState(false);
  const [refusal, setRefusal] = useState(NONE);
  const [isBusy, setBusy] = useState(false);
  const faults: CanaryFaults = way === "canary" ? faultsOf(texts) : {};
  const publish = async (): Promise<void> => {
    setTried(true);
    if (Object.keys(faults).length > 0) return;
    setBusy(true);
    setRefusal({ ...refusal, reason: "" });
    const canary = way === "canary" ? ruleOf(texts) : undefined;
    try {
      const version = await saver.publish({
        note: note.trim(),
        force: refusal.breaking.length > 0,
        ...(canary && { canary }),
        ...(hasTests && isRequired && { requireTests: true }),
      });
      if (canary) toast(`Version ${version} is a canary: ${canary.percent} % of the runs get it`, { label: "Show it", run: () => navigate(releasesAddress(slug)) });
      onDone();
    } catch (error) {
      setRefusal(refusalOf(error as Error));
      setBusy(false);
    }
  };
  const fail = (reason: string): void => setRefusal({ ...NONE, reason });
  return { note, setNote, way, setWay, texts, setTexts, faults: wasTried ? faults : {}, isRequired, setRequired, refusal, fail, isBusy, publish };
}

function refusalOf(error: Error): Refusal {
  if (!(error instanceof ApiError) || error.code !== "BREAKING_CHANGE") return { ...NONE, reason: error.message };
  const { changes, usedBy } = error.details;
  return { breaking: changes as string[], callers: usedBy as string[], reason: "" };
}
