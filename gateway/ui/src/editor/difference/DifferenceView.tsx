import { useMemo } from "react";
import { useCatalogue } from "../catalogue/catalogue";
import type { EditorDocument } from "../document/document";
import "./difference.css";
import { DifferencePicture } from "./DifferencePicture";
import { Value } from "./Value";
import { countChanges, describe, type Entry, type Kind } from "./words";

const SIGNS: Record<Kind, string> = { added: "+", removed: "−", changed: "~" };

interface Props {
  before: EditorDocument;
  after: EditorDocument;
  /** Words for documents that are equal. */
  none: string;
}

/** The changes from one document to another: a picture of both graphs, and each change in words. */
export function DifferenceView({ before, after, none }: Props) {
  const catalogue = useCatalogue();
  const words = useMemo(() => describe(catalogue, before, after), [catalogue, before, after]);
  const { nodes, wires, members, inside, moved } = words;
  if (countChanges(words) + moved.length === 0) return <p className="muted">{none}</p>;
  return (
    <div className="difference">
      {nodes.length + wires.length + moved.length > 0 && <DifferencePicture before={before} after={after} words={words} />}
      <Section title="Nodes" entries={nodes} />
      <Section title="Wires" entries={wires} />
      <Section title="Inside of nodes" entries={inside} />
      <Section title="Workflow" entries={members} />
      {moved.length > 0 && (
        <p className="muted small">{moved.length === 1 ? "1 node was moved." : `${moved.length} nodes were moved.`}</p>
      )}
    </div>
  );
}

function Section({ title, entries }: { title: string; entries: Entry[] }) {
  if (entries.length === 0) return null;
  return (
    <section aria-label={title}>
      <h3>{title}</h3>
      <ul>
        {entries.map((entry) => (
          <li key={entry.key} className={entry.kind} data-change={entry.kind}>
            <p className="change-title">
              <span className="sign" aria-hidden="true">
                {SIGNS[entry.kind]}
              </span>
              <span>{entry.title}</span>
              <span className="kind">{entry.kind}</span>
            </p>
            {entry.fields.map(({ label, before, after }) => (
              <dl key={label}>
                <dt className={label === entry.title ? "hidden-visually" : undefined}>{label}</dt>
                <dd className="before">
                  <span className="hidden-visually">before: </span>
                  <Value value={before} other={after} />
                </dd>
                <dd className="after">
                  <span className="hidden-visually">after: </span>
                  <Value value={after} other={before} />
                </dd>
              </dl>
            ))}
          </li>
        ))}
      </ul>
    </section>
  );
}
