import { assetPath } from "../api/assets";
import { CopyButton } from "../components/CopyButton";
import { Markdown } from "./Markdown";
import { AnyMedium } from "./media/FileLink";
import { KINDS, type MediaKind } from "./media/kinds";
import { Medium } from "./media/Medium";
import { isStructured } from "./media/structured";
import { StructuredValue } from "./media/StructuredValue";

/** Kinds of media by the members of results that list them. */
export const MEDIA: Record<string, MediaKind> = Object.fromEntries(KINDS.map((kind) => [`${kind}s`, kind]));
const ENDINGS: [RegExp, MediaKind][] = [
  [/\.(png|jpe?g|webp|gif|avif)(\?|$)/i, "image"],
  [/\.(mp4|webm|mov)(\?|$)/i, "video"],
  [/\.(mp3|wav|ogg|m4a|flac)(\?|$)/i, "audio"],
  [/\.(pdf|docx|xlsx|pptx|csv|tsv)(\?|$)/i, "file"],
];

/** The result of a run, shown by its kind: as media, a text, tables, a transcript or a tree. */
export function Result({ value }: { value: unknown }) {
  if (isStructured(value)) return <StructuredValue name="Result" value={value} />;
  if (typeof value === "string") return <Text text={value} />;
  if (value === null || typeof value !== "object" || Array.isArray(value)) return <Tree value={value} />;
  const entries = Object.entries(value);
  if (entries.length === 1 && entries[0]?.[0] === "text" && typeof entries[0][1] === "string") {
    return <Text text={entries[0][1]} />;
  }
  if (entries.every(([name, each]) => name in MEDIA && Array.isArray(each))) {
    return entries.map(([name, each]) => <Media key={name} kind={MEDIA[name] as MediaKind} urls={each as string[]} />);
  }
  if (entries.length > 0 && isForPeople(entries.map(([, each]) => each))) {
    return (
      <dl className="outputs">
        {entries.map(([name, each]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <Output name={name} value={each} />
            </dd>
          </div>
        ))}
      </dl>
    );
  }
  return <Tree value={value} />;
}

/** An asset of a result, at a path of this origin. */
export interface LinkedAsset {
  name: string;
  path: string;
}

/** The assets of a result that has nothing else; none for any other. */
export function mediaOf(result: unknown): LinkedAsset[] {
  if (typeof result !== "object" || result === null) return [];
  const entries = Object.entries(result);
  if (!entries.every(([name, urls]) => name in MEDIA && Array.isArray(urls))) return [];
  const linked = (entries as [string, unknown[]][]).flatMap(([kind, urls]) =>
    urls.map((url, place) => ({ name: `${MEDIA[kind]} ${place + 1}`, path: typeof url === "string" ? assetPath(url) : null })),
  );
  return linked.every((each): each is LinkedAsset => each.path !== null) ? linked : [];
}

const LONG = 80;

/** Whether named outputs are texts and media, rather than data. */
function isForPeople(values: unknown[]): boolean {
  const isText = (value: unknown) => typeof value === "string" && (value.includes("\n") || value.length > LONG);
  return values.some((value) => isText(value) || isLink(value) || isStructured(value)) || values.every((value) => typeof value === "string");
}

/** The kind of medium at an address; undefined for any other value. */
export function kindOf(value: unknown): MediaKind | undefined {
  if (typeof value !== "string" || !/^https?:\/\//.test(value)) return undefined;
  return ENDINGS.find(([ending]) => ending.test(value))?.[1];
}

/** Whether a value is the address of a medium, of which only the server may know the kind. */
function isLink(value: unknown): value is string {
  return kindOf(value) !== undefined || (typeof value === "string" && assetPath(value) !== null);
}

function Output({ name, value }: { name: string; value: unknown }) {
  const kind = kindOf(value);
  if (kind) return <Medium kind={kind} url={value as string} name={name} />;
  if (isLink(value)) return <AnyMedium url={value} name={name} />;
  const known = MEDIA[name];
  if (known && Array.isArray(value)) return <Media kind={known} urls={value as string[]} />;
  if (Array.isArray(value) && value.length > 0 && value.every(isLink)) {
    return <Media kind={kindOf(value[0])} urls={value} />;
  }
  if (isStructured(value)) return <StructuredValue name={name} value={value} />;
  if (typeof value === "string") return <Markdown text={value} />;
  return <Tree value={value} />;
}

/** Media of a kind, or such of which only the server knows the kind. */
function Media({ kind, urls }: { kind: MediaKind | undefined; urls: string[] }) {
  const called = kind ?? "medium";
  return (
    <div className={`media ${called}s`}>
      {urls.map((url, place) => {
        const name = urls.length > 1 ? `${called} ${place + 1}` : called;
        return <figure key={url}>{kind ? <Medium kind={kind} url={url} name={name} /> : <AnyMedium url={url} name={name} />}</figure>;
      })}
    </div>
  );
}

function Text({ text }: { text: string }) {
  return (
    <div className="with-copy">
      <Markdown text={text} />
      <CopyButton text={text} name="Copy the text" />
    </div>
  );
}

/** A value of JSON, of which the branches open. */
export function Tree({ value }: { value: unknown }) {
  return (
    <div className="with-copy">
      <div className="tree">
        <Branch value={value} isOpen />
      </div>
      <CopyButton text={JSON.stringify(value, null, 2)} name="Copy the JSON" />
    </div>
  );
}

const MANY = 200;

function Branch({ name, value, isOpen }: { name?: string; value: unknown; isOpen?: boolean }) {
  const label = name === undefined ? null : <span className="name">{name}: </span>;
  if (value === null || typeof value !== "object") {
    return (
      <div>
        {label}
        <code className={`value ${typeof value}`}>{JSON.stringify(value)}</code>
      </div>
    );
  }
  const entries = Object.entries(value);
  const size = Array.isArray(value) ? `[${entries.length}]` : `{${entries.length}}`;
  return (
    <details open={isOpen || entries.length <= 6}>
      <summary>
        {label}
        <span className="muted">{size}</span>
      </summary>
      {entries.slice(0, MANY).map(([key, each]) => (
        <Branch key={key} name={key} value={each} />
      ))}
      {entries.length > MANY && <div className="muted">and {entries.length - MANY} more</div>}
    </details>
  );
}
