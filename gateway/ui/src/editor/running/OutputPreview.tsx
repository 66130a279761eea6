import type { OutputStart } from "../../playground/runState";
import { type Socket, useCatalogue } from "../catalogue/catalogue";
import { useEditor } from "../document/store";
import { MediaPreview } from "./Media";

const SHOWN = 4;
const LENGTH = 400;
const NONE: Socket[] = [];

/** The output sockets of a node, as it was checked last. */
export function useOutputs(id: string, type: string): Socket[] {
  const ofType = useCatalogue()?.get(type)?.outputs ?? NONE;
  return useEditor(({ check }) => check.sockets[id]?.outputs ?? ofType);
}

interface Props {
  id: string;
  type: string;
  outputs: Record<string, OutputStart>;
}

/** The beginning of what a node gave: its media, or the first lines of its text. */
export function OutputPreview({ id, type, outputs }: Props) {
  const sockets = useOutputs(id, type);
  const media = Object.entries(outputs).flatMap(([socket, { urls = [] }]) => urls.map((url) => ({ socket, url })));
  if (media.length === 0) {
    const text = Object.values(outputs).find((output) => output.text)?.text;
    return text ? <p className="node-text ended">{text.slice(0, LENGTH)}</p> : null;
  }
  const shown = media.slice(0, SHOWN);
  return (
    <div className="node-media nodrag" data-count={shown.length}>
      {shown.map(({ socket, url }, place) => (
        <MediaPreview
          key={url}
          url={url}
          name={media.length > 1 ? `Output ${place + 1}` : "Output"}
          socket={sockets.find((each) => each.name === socket)?.type}
        />
      ))}
      {media.length > SHOWN && <span className="muted">and {media.length - SHOWN} more</span>}
    </div>
  );
}
