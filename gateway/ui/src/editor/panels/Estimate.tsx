import { credits } from "../../components/Ago";
import { useEditor } from "../document/store";

/** Credits that one run of the draft takes, as far as they can be known before. */
export function Estimate() {
  const { estimate, problems, nodes } = useEditor((state) => state.check);
  const { total } = estimate;
  // A draft that cannot run, or was not checked yet, is not free.
  if (!nodes || (total === 0 && problems.length > 0)) return null;
  return (
    <span className="estimate figures" title="Estimate of one run of the draft">
      {total === 0 ? "free" : `≈ ${credits(total)}`}
    </span>
  );
}
