import { useMemo } from "react";
import { differenceOf, excerpt } from "./lines";

const SIGNS = { added: "+", removed: "−", same: " " } as const;
const WORDS = { added: "added: ", removed: "removed: ", same: "" } as const;

/** Differences between two manifests, line by line. */
export function LineDifference({ before, after }: { before: string; after: string }) {
  const lines = useMemo(() => excerpt(differenceOf(before, after)), [before, after]);
  if (!lines.some((line) => line && line.kind !== "same")) return <p className="muted">Both are equal.</p>;
  return (
    <ol className="line-difference" aria-label="Difference by line" tabIndex={0}>
      {lines.map((line, place) =>
        line === null ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines have no identity
          <li key={place} className="gap" aria-hidden="true">
            ⋯
          </li>
        ) : (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines have no identity
          <li key={place} className={line.kind}>
            <span className="number" aria-hidden="true">
              {line.number}
            </span>
            <span className="sign" aria-hidden="true">
              {SIGNS[line.kind]}
            </span>
            <code>
              <span className="hidden-visually">{WORDS[line.kind]}</span>
              {line.text}
            </code>
          </li>
        ),
      )}
    </ol>
  );
}
