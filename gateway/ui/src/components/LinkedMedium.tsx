import type { MediaKind } from "../playground/media/kinds";

interface Props {
  kind: MediaKind | null;
  url: string;
  name: string;
}

const SHOW: Record<MediaKind, string> = { image: "Show picture", video: "Show video", audio: "Play sound", file: "Open file" };

/**
 * A medium elsewhere. A model may have made its address up, and a page that loads it tells the host there what
 * the address says; so it is opened by hand alone, in a tab of its own.
 */
export function LinkedMedium({ kind, url, name }: Props) {
  if (!URL.canParse(url) || !/^https?:\/\//i.test(url)) return <code>{url}</code>;
  const opens = { href: url, target: "_blank", rel: "noreferrer" };
  return (
    <span className="linked-medium">
      <a {...opens} title={url}>
        {url}
      </a>
      {kind && (
        <a {...opens} className="button compact" aria-label={`${SHOW[kind]}: ${name}`} title={`Asks ${new URL(url).host}, in a new tab`}>
          {SHOW[kind]}
        </a>
      )}
    </span>
  );
}
