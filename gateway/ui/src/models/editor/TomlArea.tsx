import { memo, type RefObject, useEffect, useMemo, useRef } from "react";
import type { ManifestProblem } from "../../api/types";
import { changedLines } from "../model/lines";
import { piecesOf } from "./highlight";
import type { Manifest } from "./useManifest";

interface Props {
  manifest: Manifest;
  saved: string;
  area: RefObject<HTMLTextAreaElement | null>;
  describedBy: string;
}

/** The manifest as TOML. Numbers, marks and colours lie behind a text area, so that writing stays the browser's own. */
export function TomlArea({ manifest, saved, area, describedBy }: Props) {
  const { text, problems, changedByForm } = manifest;
  const frame = useRef<HTMLDivElement>(null);
  const lines = useMemo(() => text.split("\n"), [text]);
  const fresh = useMemo(() => changedLines(saved, text), [saved, text]);
  const faults = useMemo(() => reasonsByLine(problems), [problems]);
  useScrollToChange(frame, lines, changedByForm);
  return (
    <div className="toml" ref={frame} data-invalid={problems.length > 0 || undefined}>
      <div className="toml-grid">
        <div className="toml-lines" aria-hidden="true">
          {lines.map((line, place) => (
            <TomlLine
              // biome-ignore lint/suspicious/noArrayIndexKey: lines have no identity
              key={place}
              line={line}
              isFresh={fresh.has(place + 1)}
              fault={faults.get(place + 1)}
            />
          ))}
        </div>
        <textarea
          ref={area}
          aria-label="Manifest as TOML"
          aria-invalid={problems.length > 0 || undefined}
          aria-describedby={describedBy}
          spellCheck={false}
          autoCapitalize="off"
          autoCorrect="off"
          value={text}
          onChange={(event) => manifest.write(event.target.value)}
        />
      </div>
    </div>
  );
}

const TomlLine = memo(function TomlLine({ line, isFresh, fault }: { line: string; isFresh: boolean; fault: string | undefined }) {
  return (
    <div className="toml-line" data-fresh={isFresh || undefined} data-fault={fault ? true : undefined}>
      {piecesOf(line).map(({ text, look }, place) =>
        look ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: pieces have no identity
          <span key={place} className={look}>
            {text}
          </span>
        ) : (
          text
        ),
      )}
      {/* Without it, an empty line has no height. */}
      {line === "" && "\u200b"}
    </div>
  );
});

function reasonsByLine(problems: readonly ManifestProblem[]): Map<number, string> {
  return new Map(problems.flatMap(({ line, reason }) => (line === undefined ? [] : [[line, reason]])));
}

/** Bring the first line that the form has changed into view. */
function useScrollToChange(frame: RefObject<HTMLDivElement | null>, lines: readonly string[], byForm: Manifest["changedByForm"]): void {
  const before = useRef(lines);
  const turn = byForm?.turn ?? 0;
  const seen = useRef(turn);
  useEffect(() => {
    const place = lines.findIndex((line, at) => line !== before.current[at]);
    before.current = lines;
    if (turn === seen.current) return;
    seen.current = turn;
    const box = frame.current;
    const line = box?.querySelectorAll<HTMLElement>(".toml-line")[place];
    if (!box || !line) return;
    const top = line.offsetTop;
    if (top < box.scrollTop || top > box.scrollTop + box.clientHeight - 40) box.scrollTop = Math.max(0, top - box.clientHeight / 3);
  }, [frame, lines, turn]);
}

/** Put the caret at the beginning of a line, in view. */
export function goToLine(area: HTMLTextAreaElement, number: number): void {
  const lines = area.value.split("\n");
  const start = lines.slice(0, number - 1).reduce((sum, line) => sum + line.length + 1, 0);
  area.focus();
  area.setSelectionRange(start, start + (lines[number - 1] ?? "").length);
  const box = area.closest<HTMLElement>(".toml");
  const line = box?.querySelectorAll<HTMLElement>(".toml-line")[number - 1];
  if (box && line) box.scrollTop = Math.max(0, line.offsetTop - box.clientHeight / 3);
}
