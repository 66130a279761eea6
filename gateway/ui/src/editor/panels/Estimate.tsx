import { credits } from "../../components/Ago";
import { isAgent } from "../../children/steps/steps";
import { useDocument, useEditor } from "../document/store";

/** Credits that one run of the draft takes, as far as they can be known before. */
export function Estimate() {
  const { estimate, problems, nodes } = useEditor((state) => state.check);
  const { total, byNode, isPerItem } = estimate;
  // The number of items is known only in a run.
  const perItem = isPerItem.filter((id) => byNode[id]);
  const one = useOneOf(perItem);
  // A draft that cannot run, or was not checked yet, is not free.
  if (!nodes || (total === 0 && problems.length > 0)) return null;
  const explained = perItem.length > 0 ? `; of ${perItem.join(" and ")}, it has one ${one} alone` : "";
  return (
    <span className="estimate figures" title={`Estimate of one run of the draft${explained}`}>
      {total === 0 ? "free" : `≈ ${credits(total)}`}
      {perItem.length > 0 && ` with one ${one}`}
    </span>
  );
}

/** The noun for work that an estimate counts once: an item, or a call of the model where all nodes are agents. */
export function useOneOf(ids: readonly string[]): string {
  const { nodes } = useDocument();
  const areAgents = ids.every((id) => nodes.some((node) => node.id === id && isAgent(node)));
  return areAgents ? "call" : "item";
}
