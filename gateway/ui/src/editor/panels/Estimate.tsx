import { credits } from "../../components/Ago";
import { useEditor } from "../document/store";

/** Credits that one run of the draft takes, as far as it can be known before. */
export function Estimate() {
  const { total } = useEditor((state) => state.check.estimate);
  return (
    <span className="estimate figures" title="Estimate of one run of the draft">
      {total === 0 ? "free" : `≈ ${credits(total)}`}
    </span>
  );
}
