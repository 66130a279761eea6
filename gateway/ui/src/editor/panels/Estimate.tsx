import { credits } from "../../components/Ago";
import { useEditor } from "../document/store";

/** Credits that one run of the draft takes, as far as they can be known before. */
export function Estimate() {
  const { estimate, problems, nodes } = useEditor((state) => state.check);
  const { total, byNode, isPerItem } = estimate;
  // A draft that cannot run, or was not checked yet, is not free.
  if (!nodes || (total === 0 && problems.length > 0)) return null;
  // The number of items is known only in a run.
  const perItem = isPerItem.filter((id) => byNode[id]);
  const explained = perItem.length > 0 ? `; of ${perItem.join(" and ")}, it has one item alone` : "";
  return (
    <span className="estimate figures" title={`Estimate of one run of the draft${explained}`}>
      {total === 0 ? "free" : `≈ ${credits(total)}`}
      {perItem.length > 0 && " with one item"}
    </span>
  );
}
