import type { Field } from "../../api/types";
import { isSignedIn } from "../../shell/session";
import { ChosenAsset } from "./ChosenAsset";
import { DropZone } from "./DropZone";
import { type MediaKind, nounOf } from "./kinds";
import { Recorder } from "./Recorder";
import { UploadStatus } from "./UploadStatus";
import { useUpload } from "./useUpload";

export interface ControlProps {
  field: Field;
  id: string;
  value: unknown;
  onChange: (value: unknown) => void;
  isInvalid: boolean;
  describedBy?: string;
  placeholder?: string;
}

/** A medium by drop, by paste, from a dialog or by the microphone, or the address of one. */
export function MediaInput({ field, id, value, onChange, isInvalid, describedBy }: ControlProps) {
  const kind = field.type as MediaKind;
  const uploader = useUpload((made) => onChange(made.id));
  const hint = isSignedIn && !value ? `Choose, drop or paste ${nounOf(kind)}, or give its address.` : undefined;
  return (
    <DropZone
      id={id}
      kinds={[kind]}
      isDisabled={!isSignedIn}
      describedBy={describedBy}
      choose="Choose a file"
      onFile={uploader.start}
      actions={
        <>
          {kind === "audio" && isSignedIn && <Recorder onFile={uploader.start} />}
          <input
            className="input"
            aria-label="Or an https address"
            placeholder="https://…"
            value={String(value ?? "")}
            aria-invalid={isInvalid || undefined}
            aria-describedby={describedBy}
            onChange={(event) => onChange(event.target.value)}
          />
        </>
      }
      below={<UploadStatus uploader={uploader} hint={hint} />}
    >
      <ChosenAsset value={value} name={field.label} onRemove={() => onChange("")} />
    </DropZone>
  );
}
