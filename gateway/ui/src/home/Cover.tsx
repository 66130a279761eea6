import { assetPath } from "../api/assets";
import type { Workflow } from "../api/types";
import { Drawing } from "./Drawing";

interface Props {
  url: string | null;
  graph: Pick<Workflow, "nodes" | "edges"> | undefined;
}

/** The cover of a workflow, which is an asset; without one, a drawing of its graph. */
export function Cover({ url, graph }: Props) {
  const path = url && assetPath(url);
  if (path) return <img src={path} alt="" loading="lazy" />;
  return graph ? <Drawing graph={graph} /> : null;
}
