import { useState } from "react";
import { assetPath } from "../api/assets";
import { Dialog } from "../components/Dialog";
import { LinkedMedium } from "../components/LinkedMedium";
import "./form.css";

interface Props {
  kind: "image" | "video" | "audio";
  url: string;
  name: string;
}

/** An image with a full view, a video or a sound; one that is no asset is a link. */
export function Medium({ kind, url, name }: Props) {
  const [isOpen, setOpen] = useState(false);
  const path = assetPath(url);
  if (!path) return <LinkedMedium kind={kind} url={url} name={name} />;
  // biome-ignore lint/a11y/useMediaCaption: what models make has no captions
  if (kind === "video") return <video src={path} controls preload="metadata" aria-label={name} />;
  if (kind === "audio") return <audio src={path} controls preload="metadata" aria-label={name} />;
  return (
    <>
      <button type="button" className="thumbnail" onClick={() => setOpen(true)} aria-label={`View ${name}`}>
        <img src={path} alt={name} loading="lazy" />
      </button>
      {isOpen && (
        <Dialog title={name} onClose={() => setOpen(false)}>
          <img src={path} alt={name} className="full" />
          <div className="actions">
            <a className="button" href={path} target="_blank" rel="noreferrer">
              Open the file
            </a>
            <button type="button" className="button primary" onClick={() => setOpen(false)}>
              Close
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}
