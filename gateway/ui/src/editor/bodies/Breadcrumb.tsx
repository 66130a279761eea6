import { useDocument, useStore } from "../document/store";
import { openGraph } from "./open";
import "./bodies.css";

/** The way from the graph inside of a node back to the workflow. */
export function Breadcrumb() {
  const { path } = useStore();
  const { name } = useDocument();
  if (path.length === 0) return null;
  const steps = [name, ...path];
  return (
    <nav className="breadcrumb" aria-label="Open graph">
      <ol>
        {steps.map((step, depth) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the place in the path is the identity of a step
          <li key={depth}>
            {depth < path.length ? (
              <button type="button" className="as-link" onClick={() => openGraph(path.slice(0, depth), { node: path[depth] })}>
                {step}
              </button>
            ) : (
              <span aria-current="page">{step}, for each item</span>
            )}
          </li>
        ))}
      </ol>
    </nav>
  );
}
