import { useState } from "react";
import { Dialog } from "../components/Dialog";
import "./form.css";

interface Props {
  kind: "image" | "video" | "audio";
  url: string;
  name: string;
}

/** An image with a full view, a video or a sound. */
export function Medium({ kind, url, name }: Props) {
  const [isOpen, setOpen] = useState(false);
  // biome-ignore lint/a11y/useMediaCaption: what models make has no captions
  if (kind === "video") return <video src={url} controls preload="metadata" aria-label={name} />;
  if (kind === "audio") return <audio src={url} controls preload="metadata" aria-label={name} />;
  return (
    <>
      <button type="button" className="thumbnail" onClick={() => setOpen(true)} aria-label={`View ${name}`}>
        <img src={url} alt={name} loading="lazy" />
      </button>
      {isOpen && (
        <Dialog title={name} onClose={() => setOpen(false)}>
          <img src={url} alt={name} className="full" />
          <div className="actions">
            <a className="button" href={url} target="_blank" rel="noreferrer">
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
