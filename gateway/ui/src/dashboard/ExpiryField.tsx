import { useId } from "react";

const DAY_MS = 86_400_000;
const TERMS: Record<string, number> = { "In 7 days": 7, "In 30 days": 30, "In 90 days": 90, "In a year": 365 };
export const NEVER = "Never";

interface Props {
  value: string;
  onChange: (value: string) => void;
  /** The expiry that stays when nothing is chosen. */
  kept?: string;
}

/** The moment that a choice means; null for none. */
export function momentOf(choice: string): string | null {
  const days = TERMS[choice];
  return days ? new Date(Date.now() + days * DAY_MS).toISOString() : null;
}

/** When a key stops to work. */
export function ExpiryField({ value, onChange, kept }: Props) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>Expires</label>
      <select id={id} className="input" value={value} onChange={(event) => onChange(event.target.value)}>
        {kept && <option value="">{new Date(kept).toLocaleDateString("en", { dateStyle: "long" })}</option>}
        {[NEVER, ...Object.keys(TERMS)].map((each) => (
          <option key={each}>{each}</option>
        ))}
      </select>
    </div>
  );
}
