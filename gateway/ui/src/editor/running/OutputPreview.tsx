import type { OutputStart } from "../../playground/runState";
import { kindOf } from "../../playground/Result";

const SHOWN = 4;

/** The beginning of what a node gave: its media, or the first lines of its text. */
export function OutputPreview({ outputs }: { outputs: Record<string, OutputStart> }) {
  const urls = Object.values(outputs).flatMap((output) => output.urls ?? []);
  if (urls.length > 0) return <MediaPreview urls={urls} />;
  const text = Object.values(outputs).find((output) => output.text)?.text;
  return text ? <p className="node-text ended">{text.slice(0, 400)}</p> : null;
}

function MediaPreview({ urls }: { urls: string[] }) {
  const more = urls.length - SHOWN;
  return (
    <div className="node-media nodrag" data-count={Math.min(urls.length, SHOWN)}>
      {urls.slice(0, SHOWN).map((url, place) => (
        <Preview key={url} url={url} name={urls.length > 1 ? `Output ${place + 1}` : "Output"} />
      ))}
      {more > 0 && <span className="muted">and {more} more</span>}
    </div>
  );
}

function Preview({ url, name }: { url: string; name: string }) {
  const kind = kindOf(url);
  // biome-ignore lint/a11y/useMediaCaption: what models make has no captions
  if (kind === "video") return <video src={url} controls preload="metadata" aria-label={name} />;
  if (kind === "audio") return <audio src={url} controls preload="metadata" aria-label={name} />;
  return <img src={url} alt={name} loading="lazy" />;
}
