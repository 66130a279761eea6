import { useState } from "react";
import { upload } from "../../../api/client";
import { useResource } from "../../../api/resource";
import type { Asset } from "../../../api/types";
import { Button } from "../../../components/Button";
import { Medium } from "../../../playground/Medium";
import { setSetting } from "../../document/edits";
import type { WidgetProps } from "./widget";

const ID = /^[A-Za-z0-9_-]{24}$/;

export function kindOf(contentType: string): "image" | "video" | "audio" {
  const kind = contentType.split("/")[0];
  return kind === "video" || kind === "audio" ? kind : "image";
}

/** The stored file of an id, shown. */
export function AssetPreview({ id, name }: { id: string; name: string }) {
  const { data, error } = useResource<Asset>(ID.test(id) ? `/api/assets/${id}` : null);
  if (error) return <p className="fault">This file is no longer stored.</p>;
  if (!data) return null;
  return (
    <figure className="asset">
      <Medium kind={kindOf(data.contentType)} url={data.url} name={name} />
      <figcaption className="hint">
        {data.contentType}, {size(data.bytes)}
      </figcaption>
    </figure>
  );
}

function size(bytes: number): string {
  return bytes < 1_000_000 ? `${Math.ceil(bytes / 1_000)} KB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** A stored file: uploaded by choice, drop or paste. The kind of the node follows the file. */
export function AssetWidget({ node, label, value, id, describedBy, isInvalid, onChange }: WidgetProps) {
  const [state, setState] = useState("");
  const [isOver, setOver] = useState(false);
  const uploadFirst = async (files: FileList | null): Promise<void> => {
    const file = files?.[0];
    if (!file) return;
    setState(`Uploading ${file.name}…`);
    try {
      const made = await upload<Asset>(file);
      setState("");
      onChange(made.id, made.id, setSetting(node.id, "kind", kindOf(made.contentType)));
    } catch (error) {
      setState((error as Error).message);
    }
  };
  const over = (to: boolean) => (event: { preventDefault: () => void }) => {
    event.preventDefault();
    setOver(to);
  };
  return (
    <div
      className={isOver ? "drop over" : "drop"}
      onDragOver={over(true)}
      onDragLeave={over(false)}
      onDrop={(event) => {
        over(false)(event);
        void uploadFirst(event.dataTransfer.files);
      }}
      onPaste={(event) => void uploadFirst(event.clipboardData.files)}
    >
      {typeof value === "string" && value && <AssetPreview id={value} name={label} />}
      <div className="drop-row">
        <input
          id={id}
          type="file"
          className="hidden-visually"
          accept="image/*,video/*,audio/*"
          aria-describedby={describedBy}
          aria-invalid={isInvalid || undefined}
          onChange={(event) => void uploadFirst(event.target.files)}
        />
        <label htmlFor={id} className="button compact" aria-hidden="true">
          {value ? "Replace the file" : "Choose a file"}
        </label>
        {typeof value === "string" && value && (
          <Button look="quiet" isCompact onClick={() => onChange(undefined)}>
            Remove the file
          </Button>
        )}
      </div>
      <p className="hint" role="status">
        {state || (!value && "Choose, drop or paste an image, a video or a sound.")}
      </p>
    </div>
  );
}
