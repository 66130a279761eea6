import type { GraphProblem } from "../../api/types";
import { Button } from "../../components/Button";
import { type Catalogue, useCatalogue } from "../catalogue/catalogue";
import { useMissing } from "../catalogue/missing";
import { fieldLabel, nodeLabel } from "../difference/words";
import type { EditorDocument } from "../document/document";
import { useDocument, useEditor } from "../document/store";
import { countOf } from "../publishing/state";
import { useReveal } from "../running/reveal";
import { bodyAt, placeOf } from "../bodies/body";
import { openGraph } from "../bodies/open";
import { MissingNote } from "./MissingNote";

interface Place {
  key: string;
  title: string;
  problems: GraphProblem[];
}

/** All problems by node, each of which leads to its place. */
export function ProblemsPanel() {
  const catalogue = useCatalogue();
  const document = useDocument();
  const problems = useEditor((state) => state.check.problems);
  const missing = useMissing();
  const places = placesOf(catalogue, document, problems);
  return (
    <div className="stack">
      <h2>Checklist</h2>
      <MissingNote />
      {problems.length === 0 ? (
        <p className="note good" role="status">
          {missing.length === 0 ? "✓ No problems. This can run, and be published." : "✓ The drawing has no problems, and can be published."}
        </p>
      ) : (
        <p className="hint">{countOf(problems.length, "problem")}: choose one to go there.</p>
      )}
      {places.map((place) => (
        <section key={place.key} className="checklist" aria-label={place.title}>
          <h3>{place.title}</h3>
          <ul>
            {place.problems.map((problem, number) => (
              <li key={`${problem.field} ${problem.socket} ${number}`}>
                <Leading problem={problem} />
              </li>
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}

function Leading({ problem }: { problem: GraphProblem }) {
  const reveal = useReveal();
  const catalogue = useCatalogue();
  const { field, socket, reason } = problem;
  const document = useDocument();
  const { graph, id } = placeOf(document, problem);
  const node = bodyAt(document, graph)?.nodes.find((each) => each.id === id);
  const setting = field?.split(/[.[]/)[0];
  const place = setting && node ? fieldLabel(catalogue, node, setting) : socket;
  if (id === undefined && graph.length === 0) return <p>{reason}</p>;
  const inside = [...graph.slice(1), ...(graph.length > 0 && id !== undefined ? [id] : [])];
  return (
    <Button look="quiet" className="leading" onClick={() => (id === undefined ? openGraph(graph) : reveal(id, field ?? null, graph))}>
      {inside.length > 0 && <span className="muted">{inside.join(" › ")}</span>}
      {place && <strong>{place}</strong>}
      <span>{reason}</span>
    </Button>
  );
}

function placesOf(catalogue: Catalogue | undefined, document: EditorDocument, problems: readonly GraphProblem[]): Place[] {
  const places = new Map<string, Place>();
  for (const problem of problems) {
    const key = problem.nodeId ?? problem.edgeId ?? "";
    const place = places.get(key) ?? { key, title: titleOf(catalogue, document, problem), problems: [] };
    place.problems.push(problem);
    places.set(key, place);
  }
  return [...places.values()];
}

function titleOf(catalogue: Catalogue | undefined, document: EditorDocument, { nodeId, edgeId }: GraphProblem): string {
  const node = document.nodes.find((each) => each.id === nodeId);
  if (node) return nodeLabel(catalogue, node);
  const edge = document.edges.find((each) => each.id === edgeId);
  return edge ? `Wire from ${edge.source} to ${edge.target}` : "Workflow";
}
