import type { Model } from "../api/types";
import { useMe } from "../shell/session";
import { CATEGORIES, type Category, missing } from "./facts";

/** The kind of output, in the colour of its sockets. */
export function Kind({ category }: { category: Category }) {
  return <span className={`kind ${category}`}>{CATEGORIES[category]}</span>;
}

/** Whether the account can run a model now. */
export function State({ model }: { model: Model }) {
  const tier = useMe().data?.user.tier;
  const lack = missing(model, tier);
  if (lack) return <span className="badge warn">{lack.short}</span>;
  return (
    <span className="row">
      <span className="badge good">Ready</span>
      {model.isDemo && (
        <span className="badge warn" title="Its answers are made up by the demo provider; no real model is asked.">
          Demo
        </span>
      )}
    </span>
  );
}
