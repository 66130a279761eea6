import { type ReactNode, useState } from "react";

interface Props {
  summary: ReactNode;
  className?: string;
  isOpenAtFirst?: boolean;
  children: ReactNode;
}

/** Details that exist only while they are open. */
export function Fold({ summary, className = "fold", isOpenAtFirst = false, children }: Props) {
  const [isOpen, setOpen] = useState(isOpenAtFirst);
  return (
    <details className={className} open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{summary}</summary>
      {isOpen && children}
    </details>
  );
}
