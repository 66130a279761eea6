import { assetPath } from "../../api/assets";
import { LinkedMedium } from "../../components/LinkedMedium";
import { FileLink } from "./FileLink";
import type { MediaKind } from "./kinds";
import { Player } from "./Player";
import "../form.css";
import "./media.css";

interface Props {
  kind: MediaKind;
  url: string;
  name: string;
}

/** A medium of a known kind; one that is no asset is a link. */
export function Medium({ kind, url, name }: Props) {
  const path = assetPath(url);
  if (!path) return <LinkedMedium kind={kind} url={url} name={name} />;
  if (kind === "file") return <FileLink url={url} name={name} />;
  return <Player kind={kind} path={path} name={name} />;
}
