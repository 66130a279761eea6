import { CopyButton } from "../../../components/CopyButton";
import { isStructured } from "../../../playground/media/structured";
import { StructuredValue } from "../../../playground/media/StructuredValue";
import { Tree } from "../../../playground/Result";
import type { SocketType } from "../../catalogue/catalogue";
import { SocketMedium } from "./Media";
import { isMedium, isTruncated } from "./values";

interface Props {
  name: string;
  value: unknown;
  socket?: SocketType | undefined;
}

const SHOWN = 40;

/** The value at a socket, shown by its kind: as a text, media, a list, tables, a transcript or a tree; a large value as a link. */
export function SocketValue({ name, value, socket }: Props) {
  if (isTruncated(value)) {
    return (
      <a href={value.url} target="_blank" rel="noreferrer">
        Open the whole value ({Math.ceil(value.bytes / 1024).toLocaleString("en")} KiB)
      </a>
    );
  }
  if (isMedium(value, socket)) return <SocketMedium url={value} name={name} socket={socket} />;
  if (typeof value === "string") return <Text text={value} name={name} />;
  if (Array.isArray(value) && value.length > 0) {
    if (value.every((each) => isMedium(each, socket) || typeof each === "string")) {
      return <List name={name} values={value as string[]} socket={socket} />;
    }
  }
  if (isStructured(value)) return <StructuredValue name={name} value={value} />;
  return <Tree value={value} />;
}

function Text({ text, name }: { text: string; name: string }) {
  if (text === "") return <p className="muted">An empty text</p>;
  return (
    <div className="with-copy">
      <pre className="value-text" tabIndex={0} aria-label={name}>
        {text}
      </pre>
      <CopyButton text={text} name={`Copy ${name}`} />
    </div>
  );
}

function List({ name, values, socket }: { name: string; values: string[]; socket: SocketType | undefined }) {
  return (
    <>
      <ol className={isMedium(values[0], socket) ? "value-list media images" : "value-list"}>
        {values.slice(0, SHOWN).map((each, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the list of a record does not change
          <li key={place}>
            {isMedium(each, socket) ? (
              <SocketMedium url={each} name={`${name} ${place + 1}`} socket={socket} />
            ) : (
              <pre className="value-text" tabIndex={0} aria-label={`${name} ${place + 1}`}>
                {each}
              </pre>
            )}
          </li>
        ))}
      </ol>
      {values.length > SHOWN && <p className="muted">and {values.length - SHOWN} more</p>}
    </>
  );
}
