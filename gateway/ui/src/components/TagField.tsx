import { TextField } from "./TextField";

interface Props {
  label?: string;
  text: string;
  fault?: string;
  onChange: (text: string) => void;
}

/** A line for tags, separated by commas. */
export function TagField({ label = "Tags", text, fault, onChange }: Props) {
  return (
    <TextField
      label={label}
      hint="Up to 10, separated by commas. Lists, webhooks and usage have them."
      fault={fault}
      value={text}
      onChange={onChange}
      spellCheck={false}
      autoComplete="off"
    />
  );
}
