import { TextField } from "../../components/TextField";
import { ruleInWords } from "../words";
import { type CanaryFaults, type CanaryTexts, faultsOf, ruleOf } from "./canaryForm";
import "../releases.css";

interface Props {
  texts: CanaryTexts;
  /** Faults that are shown, once somebody has tried to save. */
  faults: CanaryFaults;
  onChange: (texts: CanaryTexts) => void;
}

/** The share of a canary, and the rule that takes it back. */
export function CanaryFields({ texts, faults, onChange }: Props) {
  const field = (name: keyof CanaryTexts) => ({
    value: texts[name],
    onChange: (value: string) => onChange({ ...texts, [name]: value }),
    inputMode: "decimal" as const,
    autoComplete: "off",
    ...(faults[name] && { fault: faults[name] }),
  });
  const isWhole = Object.keys(faultsOf(texts)).length === 0;
  return (
    <div className="stack canary-fields">
      <div className="canary-grid">
        <TextField label="Share of the runs, in %" {...field("percent")} />
        <TextField label="Runs until it decides" {...field("minRuns")} />
        <TextField label="Most failed runs, in %" placeholder="no bound" {...field("maxError")} />
        <TextField label="Longest p95, in seconds" placeholder="no bound" {...field("maxP95")} />
      </div>
      {isWhole && <p className="hint">{ruleInWords(ruleOf(texts))}</p>}
    </div>
  );
}
