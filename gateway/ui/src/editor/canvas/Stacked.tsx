import { Button } from "../../components/Button";
import { useDocument } from "../document/store";
import { COMMANDS } from "./commands/commands";
import type { CanvasContext } from "./commands/context";

/** An offer to lay out nodes that lie on one another, as those of a document without positions do. */
export function Stacked({ context }: { context: CanvasContext }) {
  const { nodes } = useDocument();
  const [first, ...others] = nodes;
  const isStacked = first !== undefined && others.length > 0 && others.every(({ position }) => position.x === first.position.x && position.y === first.position.y);
  if (!isStacked) return null;
  return (
    <section className="canvas-stacked" aria-label="Layout">
      <p>The {nodes.length} nodes of this workflow lie in one place.</p>
      <Button isCompact onClick={() => COMMANDS.tidy.run(context)}>
        Tidy up
      </Button>
    </section>
  );
}
