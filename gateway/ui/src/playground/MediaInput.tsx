import { useState } from "react";
import { upload } from "../api/client";
import type { Asset, Field } from "../api/types";
import { isSignedIn } from "../shell/session";
import { Medium } from "./Medium";

export interface ControlProps {
  field: Field;
  id: string;
  value: unknown;
  onChange: (value: unknown) => void;
  isInvalid: boolean;
  describedBy?: string;
  placeholder?: string;
}

/** A file by drop, by paste or from a dialog, or the address of one. */
export function MediaInput({ field, id, value, onChange, isInvalid, describedBy }: ControlProps) {
  const [asset, setAsset] = useState<Asset | null>(null);
  const [state, setState] = useState("");
  const [isOver, setOver] = useState(false);
  const uploadFirst = async (files?: FileList | null): Promise<void> => {
    const file = files?.[0];
    if (!file) return;
    setState(`Uploading ${file.name}…`);
    try {
      const made = await upload<Asset>(file);
      setAsset(made);
      onChange(made.id);
      setState("");
    } catch (error) {
      setState((error as Error).message);
    }
  };
  const preview = asset?.id === value ? asset?.url : "";
  return (
    <div
      className={isOver ? "drop over" : "drop"}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        void uploadFirst(event.dataTransfer.files);
      }}
      onPaste={(event) => {
        if (!event.clipboardData.files.length) return;
        event.preventDefault();
        void uploadFirst(event.clipboardData.files);
      }}
    >
      {preview && <Medium kind={field.type as "image"} url={preview} name={field.label} />}
      <div className="drop-row">
        <input
          id={id}
          type="file"
          className="hidden-visually"
          accept={`${field.type}/*`}
          disabled={!isSignedIn}
          aria-describedby={describedBy}
          onChange={(event) => void uploadFirst(event.target.files)}
        />
        <label htmlFor={id} className="button" aria-hidden="true">
          Choose file
        </label>
        <input
          className="input"
          aria-label="Or an https address"
          placeholder="https://…"
          value={String(value ?? "")}
          aria-invalid={isInvalid || undefined}
          aria-describedby={describedBy}
          onChange={(event) => onChange(event.target.value)}
        />
      </div>
      <p className="hint" role="status">
        {state || (isSignedIn && !value && "Choose, drop or paste a file, or give its address.")}
      </p>
    </div>
  );
}
