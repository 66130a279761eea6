import { useState } from "react";
import { Dialog } from "../../components/Dialog";
import { player } from "./players";

interface Props {
  kind: "image" | "video" | "audio";
  path: string;
  name: string;
}

/** An image with a full view, a video or a sound, from a path of this origin. */
export function Player({ kind, path, name }: Props) {
  // biome-ignore lint/a11y/useMediaCaption: what models make has no captions
  if (kind === "video") return <video ref={player} src={path} controls preload="metadata" aria-label={name} />;
  // biome-ignore lint/a11y/useMediaCaption: as above
  if (kind === "audio") return <audio ref={player} src={path} controls preload="metadata" aria-label={name} />;
  return <Picture path={path} name={name} />;
}

function Picture({ path, name }: Omit<Props, "kind">) {
  const [isOpen, setOpen] = useState(false);
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
