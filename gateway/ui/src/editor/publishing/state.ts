/** How the draft stands against the version that callers run. */

import { useMemo } from "react";
import { useCatalogue } from "../catalogue/catalogue";
import { useDocument, useEditor } from "../document/store";
import { countChanges, describe } from "../difference/words";

export type PublishState = "unchanged" | "changed" | "problems" | "publishing" | "published" | "never-published";

interface Standing {
  state: PublishState;
  /** Number of changes against the live version; 0 where there is none. */
  changes: number;
  problems: number;
  liveVersion: number | null;
}

export function useStanding(): Standing {
  const catalogue = useCatalogue();
  const document = useDocument();
  const live = useEditor((state) => state.saving.live);
  const liveVersion = useEditor((state) => state.saving.liveVersion);
  const publishing = useEditor((state) => state.saving.publishing);
  const problems = useEditor((state) => state.check.problems.length);
  const changes = useMemo(() => {
    if (!live) return 0;
    const words = describe(catalogue, live, document);
    return countChanges(words) + (words.moved.length > 0 ? 1 : 0);
  }, [catalogue, live, document]);
  let state: PublishState = changes > 0 ? "changed" : "unchanged";
  if (publishing !== "idle") state = publishing;
  else if (problems > 0) state = "problems";
  else if (liveVersion === null) state = "never-published";
  return { state, changes, problems, liveVersion };
}

export function countOf(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
