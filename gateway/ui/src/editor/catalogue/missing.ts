/** Models and extras that the document needs and that this installation lacks: no problems of the drawing. */

import { useMemo } from "react";
import { type Need, needsOf, unmet } from "../../requirements/requirements";
import { useSurroundings } from "../../requirements/surroundings";
import { useDocument } from "../document/store";

const NONE: Need[] = [];

export function useMissing(): Need[] {
  const { nodes, edges } = useDocument();
  const around = useSurroundings();
  return useMemo(() => (around ? unmet(needsOf({ nodes, edges }, around)) : NONE), [nodes, edges, around]);
}
