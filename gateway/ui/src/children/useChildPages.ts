/** The list of a node's children, which follows those that go on. */

import { useEffect } from "react";
import { type Rows, usePages } from "../api/pages";
import type { ExecutionRow } from "../api/types";
import { type Children, endedOf } from "./children";

/** Read the children at a path page by page, and again when further ones have begun or ended. */
export function useChildPages(path: string, found: Children): Rows<ExecutionRow> {
  const pages = usePages<ExecutionRow>(path);
  const state = `${found.statuses?.processing} ${endedOf(found)}`;
  // biome-ignore lint/correctness/useExhaustiveDependencies: `reload` is made anew each time
  useEffect(() => {
    if (pages.rows) pages.reload();
  }, [state]);
  return pages;
}
