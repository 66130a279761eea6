import { Unmet, wordFor } from "../../requirements/Unmet";
import { useMissing } from "../catalogue/missing";

/** A warning before the first run: models or extras that are missing here. */
export function MissingNote() {
  const missing = useMissing();
  if (missing.length === 0) return null;
  return (
    <div className="note warn" role="status">
      <strong>{wordFor(missing)}</strong>
      <p>
        <Unmet needs={missing} />
      </p>
    </div>
  );
}
