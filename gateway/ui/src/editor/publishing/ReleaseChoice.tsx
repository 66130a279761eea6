import { useId } from "react";
import { CanaryFields } from "../../releases/change/CanaryFields";
import type { CanaryFaults, CanaryTexts } from "../../releases/change/canaryForm";

export type ReleaseWay = "live" | "canary";

interface Props {
  way: ReleaseWay;
  texts: CanaryTexts;
  faults: CanaryFaults;
  liveVersion: number;
  onWay: (way: ReleaseWay) => void;
  onTexts: (texts: CanaryTexts) => void;
}

/** Whether all callers get the new version at once, or a share of them as a canary. */
export function ReleaseChoice({ way, texts, faults, liveVersion, onWay, onTexts }: Props) {
  const id = useId();
  const ways: [ReleaseWay, string, string][] = [
    ["live", "Live at once", "All callers get it."],
    ["canary", "As a canary", `A part of the callers gets it, the others stay with version ${liveVersion}. It is taken back by itself where it does worse than its rule.`],
  ];
  return (
    <>
      <fieldset className="field release-choice">
        <legend className="label">Release</legend>
        {ways.map(([value, name, meaning]) => (
          <label key={value} className="row release-check">
            <input type="radio" name={id} checked={value === way} onChange={() => onWay(value)} />
            <span>
              {name} <span className="hint">{meaning}</span>
            </span>
          </label>
        ))}
      </fieldset>
      {way === "canary" && <CanaryFields texts={texts} faults={faults} onChange={onTexts} />}
    </>
  );
}
