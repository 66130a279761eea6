import { ChosenAsset } from "../../../playground/media/ChosenAsset";
import { DropZone } from "../../../playground/media/DropZone";
import { KINDS, kindOfType } from "../../../playground/media/kinds";
import { UploadStatus } from "../../../playground/media/UploadStatus";
import { useUpload } from "../../../playground/media/useUpload";
import { setSetting } from "../../document/edits";
import type { WidgetProps } from "./widget";

/** A stored file: uploaded by choice, drop or paste. The kind of the node follows the file. */
export function AssetWidget({ node, label, value, id, describedBy, isInvalid, onChange }: WidgetProps) {
  const uploader = useUpload((made) => onChange(made.id, made.id, setSetting(node.id, "kind", kindOfType(made.contentType))));
  return (
    <DropZone
      id={id}
      kinds={KINDS}
      isInvalid={isInvalid}
      describedBy={describedBy}
      choose={value ? "Replace the file" : "Choose a file"}
      isCompact
      onFile={uploader.start}
      below={<UploadStatus uploader={uploader} hint={value ? undefined : "Choose, drop or paste an image, a video, a sound or a document."} />}
    >
      <ChosenAsset value={value} name={label} onRemove={() => onChange(undefined)} />
    </DropZone>
  );
}
