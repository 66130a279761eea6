import { assetPath } from "../../../api/assets";
import { MEDIA } from "../../../playground/Result";
import type { OutputStart } from "../../../playground/runState";
import { counted } from "../../canvas/card/summary";
import { type Socket, type SocketType, useCatalogue } from "../../catalogue/catalogue";
import { useEditor } from "../../document/store";
import { Thumbnail } from "./Media";
import { useRunning } from "../runs";
import { mediaKind } from "./values";

const LENGTH = 200;
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

/** The beginning of a node's output: its first medium with the number of media, or the first lines of its text. */
export function OutputPreview({ id, type, outputs }: Props) {
  const sockets = useOutputs(id, type);
  const links = Object.entries(outputs).flatMap(([socket, { urls = [] }]) => urls.map((url) => ({ socket, url })));
  const texts = Object.values(outputs).flatMap(({ text }) => text || []);
  const media = links.filter(({ url }) => assetPath(url));
  const [first] = media;
  if (!first) return <Beginning text={texts[0] ?? links[0]?.url} />;
  // An optional field without a value says nothing beside a medium.
  const text = texts.find((each) => each !== "null" && each !== "{}");
  const socket = sockets.find((each) => each.name === first.socket)?.type;
  return <MediaStart url={first.url} socket={socket} count={media.length} text={text} />;
}

/** The beginning of the run's result, which is the output of the Response Output. */
export function ResultPreview() {
  const result = useRunning(({ run }) => run?.execution?.result);
  if (result === null || result === undefined) return null;
  const members = (typeof result === "object" ? result : {}) as Record<string, unknown>;
  for (const [name, kind] of Object.entries(MEDIA)) {
    const urls = members[name];
    if (!Array.isArray(urls) || typeof urls[0] !== "string" || !assetPath(urls[0])) continue;
    return <MediaStart url={urls[0]} socket={kind} count={urls.length} text={undefined} />;
  }
  const text = typeof members.text === "string" ? members.text : result;
  return <Beginning text={typeof text === "string" ? text : JSON.stringify(text)} />;
}

interface MediaStartProps {
  url: string;
  socket: SocketType | undefined;
  count: number;
  text: string | undefined;
}

function MediaStart({ url, socket, count, text }: MediaStartProps) {
  return (
    <>
      <Thumbnail url={url} name="Output" socket={socket} />
      <Beginning text={text ?? counted(count, mediaKind(url, socket) ?? "file")} />
    </>
  );
}

function Beginning({ text }: { text: string | undefined }) {
  return text ? <p className="node-text">{text.slice(0, LENGTH).replace(/\s*\n\s*/g, " ")}</p> : null;
}
