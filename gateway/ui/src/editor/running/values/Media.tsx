import { useState } from "react";
import { assetPath } from "../../../api/assets";
import { LinkedMedium } from "../../../components/LinkedMedium";
import { Medium } from "../../../playground/Medium";
import type { SocketType } from "../../catalogue/catalogue";
import { mediaKind } from "./values";

interface Props {
  url: string;
  name: string;
  socket?: SocketType | undefined;
}

/** A medium with its controls; an asset of an unknown kind is a picture, or else a link. */
export function SocketMedium({ url, name, socket }: Props) {
  const [isFailed, setFailed] = useState(false);
  const kind = mediaKind(url, socket);
  if (kind) return <Medium kind={kind} url={url} name={name} />;
  const path = assetPath(url);
  if (!path || isFailed) return <LinkedMedium kind={null} url={url} name={name} />;
  return <img src={path} alt={name} loading="lazy" onError={() => setFailed(true)} />;
}

/** An asset in small and without controls, as the cards of nodes show it. */
export function Thumbnail({ url, name, socket }: Props) {
  const [isFailed, setFailed] = useState(false);
  const path = assetPath(url) ?? undefined;
  const kind = isFailed || !path ? "file" : (mediaKind(url, socket) ?? "image");
  if (kind === "image") {
    return (
      <img className="node-thumbnail" src={path} alt={name} loading="lazy" draggable={false} onError={() => setFailed(true)} />
    );
  }
  if (kind === "video") {
    return <video className="node-thumbnail" src={path} preload="metadata" muted aria-label={name} onError={() => setFailed(true)} />;
  }
  return (
    <svg className="node-thumbnail sign" viewBox="0 0 16 16" role="img" aria-label={name}>
      <path d={SIGNS[kind]} />
    </svg>
  );
}

const SIGNS = {
  audio: "M3 6.5v3M5.5 4v8M8 2v12M10.5 5v6M13 6.5v3",
  file: "M4 1.5h5L12.5 5v9.5h-8.5zM9 1.5V5h3.5",
};
