import { assetPath } from "../../api/assets";
import { LinkedMedium } from "../../components/LinkedMedium";
import { FilePreview } from "./FilePreview";
import { useFacts } from "./facts";
import { kindOfType, nameOfType, sizeInWords } from "./kinds";
import { Player } from "./Player";

interface Props {
  url: string;
  name: string;
}

/** A file as a link with its kind and size, and below it what a page can show of it. */
export function FileLink({ url, name }: Props) {
  const path = assetPath(url);
  const facts = useFacts(path);
  if (!path) return <LinkedMedium kind="file" url={url} name={name} />;
  if (facts === null) return <p className="muted">The file {name} is no longer stored.</p>;
  if (!facts) return <p className="hint">…</p>;
  return (
    <div className="file stack tight">
      <p className="row file-line">
        <a className="file-link" href={path} download={facts.fileName}>
          {facts.fileName}
        </a>
        <span className="muted small">
          {nameOfType(facts.contentType)}, {sizeInWords(facts.bytes)}
        </span>
      </p>
      <FilePreview path={path} contentType={facts.contentType} name={name} />
    </div>
  );
}

/** An asset whose kind only the server knows: shown as what it is. */
export function AnyMedium({ url, name }: Props) {
  const path = assetPath(url);
  const facts = useFacts(path);
  if (!path) return <LinkedMedium kind={null} url={url} name={name} />;
  const kind = facts && kindOfType(facts.contentType);
  if (!facts || kind === "file") return <FileLink url={url} name={name} />;
  return <Player kind={kind as "image"} path={path} name={name} />;
}
