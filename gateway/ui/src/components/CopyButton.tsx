import { useState } from "react";
import { Button } from "./Button";

/** Copy by the clipboard, or by a selection where a page has no right to the clipboard. */
async function copy(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  // Inside an open dialog, nothing outside of it can be selected.
  const host = document.querySelector("dialog[open]") ?? document.body;
  host.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

interface Props {
  text: string;
  label?: string;
  name?: string;
}

export function CopyButton({ text, label = "Copy", name }: Props) {
  const [isCopied, setCopied] = useState(false);
  return (
    <Button
      isCompact
      aria-label={name}
      onClick={() =>
        copy(text).then(() => {
          setCopied(true);
          setTimeout(() => setCopied(false), 1_600);
        })
      }
    >
      <span className="copy-label" aria-live="polite">
        {isCopied ? "Copied" : label}
      </span>
    </Button>
  );
}
