import type { GraphEdge } from "../../api/types";
import { Button } from "../../components/Button";
import { type Socket, socketsOf, useCatalogue } from "../catalogue/catalogue";
import { remove } from "../document/edits";
import { useDocument, useEditor, useStore } from "../document/store";
import { Reasons, sentence } from "./problems";

/** A wire: its ends with their types, and a button to remove it. */
export function EdgeSettings({ edge }: { edge: GraphEdge }) {
  const store = useStore();
  const catalogue = useCatalogue();
  const { nodes } = useDocument();
  const { sockets, problems } = useEditor((state) => state.check);
  const find = (id: string, side: "inputs" | "outputs", name: string): Socket | undefined => {
    const node = nodes.find((each) => each.id === id);
    return node && socketsOf(node, sockets, catalogue)[side].find((each) => each.name === name);
  };
  const reasons = problems.filter((each) => each.edgeId === edge.id && !each.path).map((each) => sentence(each.reason));
  const ends = [
    ["From", edge.source, edge.sourceHandle, find(edge.source, "outputs", edge.sourceHandle)],
    ["To", edge.target, edge.targetHandle, find(edge.target, "inputs", edge.targetHandle)],
  ] as const;
  return (
    <div className="stack settings-panel">
      <h2>Wire</h2>
      <dl className="ends">
        {ends.map(([word, id, name, socket]) => (
          <div key={word}>
            <dt>{word}</dt>
            <dd>
              <button type="button" className="link" onClick={() => store.show(id)}>
                {id}
              </button>
              <span>{name}</span>
              <span className={`socket-type ${socket?.type ?? ""}`}>{socket?.type ?? "no such socket"}</span>
            </dd>
          </div>
        ))}
      </dl>
      <Reasons reasons={reasons} />
      <div className="row">
        <Button isDanger onClick={() => store.edit(remove([], [edge.id]))}>
          Remove wire
        </Button>
      </div>
    </div>
  );
}
