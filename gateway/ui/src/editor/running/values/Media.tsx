import { useState } from "react";
import { assetPath, idOf } from "../../../api/assets";
import { useResource } from "../../../api/resource";
import type { Asset } from "../../../api/types";
import { LinkedMedium } from "../../../components/LinkedMedium";
import { AnyMedium } from "../../../playground/media/FileLink";
import { useFacts } from "../../../playground/media/facts";
import { kindOfType } from "../../../playground/media/kinds";
import { Medium } from "../../../playground/media/Medium";
import { hasPages, pagePath } from "../../../playground/media/Pages";
import type { SocketType } from "../../catalogue/catalogue";
import { mediaKind } from "./values";

interface Props {
  url: string;
  name: string;
  socket?: SocketType | undefined;
}

/** A medium with its controls; the server is asked for the kind of an asset that no socket tells. */
export function SocketMedium({ url, name, socket }: Props) {
  const kind = mediaKind(url, socket);
  if (kind) return <Medium kind={kind} url={url} name={name} />;
  if (!assetPath(url)) return <LinkedMedium kind={null} url={url} name={name} />;
  return <AnyMedium url={url} name={name} />;
}

/** An asset in small and without controls, as the cards of nodes show it. */
export function Thumbnail({ url, name, socket }: Props) {
  const path = assetPath(url);
  const known = mediaKind(url, socket);
  const facts = useFacts(known && known !== "file" ? null : path);
  const kind = (path && known) || (facts && kindOfType(facts.contentType)) || "file";
  if (kind === "image" && path) return <Small kind="image" path={path} name={name} />;
  if (kind === "video" && path) return <Small kind="video" path={path} name={name} />;
  if (kind === "file" && path && facts && hasPages(facts.contentType)) return <FirstPage path={path} name={name} />;
  return <Sign kind={kind === "audio" ? "audio" : "file"} name={name} />;
}

function Small({ kind, path, name }: { kind: "image" | "video"; path: string; name: string }) {
  const [isFailed, setFailed] = useState(false);
  if (isFailed) return <Sign kind="file" name={name} />;
  if (kind === "video") {
    return <video className="node-thumbnail" src={path} preload="metadata" muted aria-label={name} onError={() => setFailed(true)} />;
  }
  return <img className="node-thumbnail" src={path} alt={name} loading="lazy" draggable={false} onError={() => setFailed(true)} />;
}

const SMALL_PX = 256;

/** The first page of a PDF in small. */
function FirstPage({ path, name }: { path: string; name: string }) {
  const { data } = useResource<Asset>(pagePath(idOf(path) ?? "", 1, SMALL_PX));
  const picture = data && assetPath(data.url);
  return picture ? <Small kind="image" path={picture} name={name} /> : <Sign kind="file" name={name} />;
}

function Sign({ kind, name }: { kind: keyof typeof SIGNS; name: string }) {
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
