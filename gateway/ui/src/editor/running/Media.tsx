import { useState } from "react";
import { Medium } from "../../playground/Medium";
import type { SocketType } from "../catalogue/catalogue";
import { mediaKind } from "./values";

interface Props {
  url: string;
  name: string;
  socket?: SocketType | undefined;
}

/** A medium with its controls; one of an unknown kind is a picture, or else a link. */
export function SocketMedium({ url, name, socket }: Props) {
  const [isFailed, setFailed] = useState(false);
  const kind = mediaKind(url, socket);
  if (kind) return <Medium kind={kind} url={url} name={name} />;
  if (isFailed) return <FileLink url={url} name={name} />;
  return <img src={url} alt={name} loading="lazy" onError={() => setFailed(true)} />;
}

/** A medium in small, as nodes show it. */
export function MediaPreview({ url, name, socket }: Props) {
  const [isFailed, setFailed] = useState(false);
  const kind = mediaKind(url, socket);
  // biome-ignore lint/a11y/useMediaCaption: what models make has no captions
  if (kind === "video") return <video src={url} controls preload="metadata" aria-label={name} />;
  if (kind === "audio") return <audio src={url} controls preload="metadata" aria-label={name} />;
  if (isFailed) return <FileLink url={url} name={name} />;
  return <img src={url} alt={name} loading="lazy" draggable={false} onError={() => setFailed(true)} />;
}

function FileLink({ url, name }: { url: string; name: string }) {
  return (
    <a href={url} target="_blank" rel="noreferrer">
      Open {name.toLowerCase()}
    </a>
  );
}
