import { assetPath, idOf } from "../../api/assets";
import { useResource } from "../../api/resource";
import type { Asset } from "../../api/types";
import { Button } from "../../components/Button";
import { isSignedIn } from "../../shell/session";
import { FilePreview, hasPreview } from "./FilePreview";
import { isAssetId, kindOfType, nameOfType, sizeInWords } from "./kinds";
import { Player } from "./Player";
import { fileNameOf } from "./useUpload";
import "../form.css";
import "./media.css";

interface Props {
  /** Value of the field: the id of an asset or a link to one, or an address elsewhere, of which nothing is shown. */
  value: unknown;
  /** Name of the field. */
  name: string;
  onRemove?: () => void;
}

/** The asset that a field has: its name and size, the way to remove it, and a preview. */
export function ChosenAsset({ value, name, onRemove }: Props) {
  const linked = typeof value === "string" ? idOf(value) : null;
  const id = isAssetId(value) ? value : linked;
  const { data, error } = useResource<Asset>(isSignedIn && id ? `/api/assets/${id}` : null);
  // A link may lead to an asset of another account, which is as good as any address.
  if (!id || (linked && !data)) return null;
  const remove = onRemove && (
    <Button look="quiet" isCompact onClick={onRemove}>
      Remove the file
    </Button>
  );
  if (!data) {
    return (
      <p className="row file-line">
        {error && <span className="fault">This file is no longer stored.</span>} {remove}
      </p>
    );
  }
  const { contentType, bytes, durationMs } = data;
  const known = [nameOfType(contentType), sizeInWords(bytes), durationMs !== undefined && `${(durationMs / 1_000).toFixed(1)} s`];
  return (
    <>
      <p className="row file-line">
        {fileNameOf(id) && <b className="file-name">{fileNameOf(id)}</b>}
        <span className="muted small">{known.filter(Boolean).join(", ")}</span>
        {remove}
      </p>
      <AssetPreview asset={data} name={name} />
    </>
  );
}

function AssetPreview({ asset, name }: { asset: Asset; name: string }) {
  const path = assetPath(asset.url);
  const kind = kindOfType(asset.contentType);
  if (!path) return null;
  if (kind !== "file") return <Player kind={kind} path={path} name={name} />;
  if (!hasPreview(asset.contentType)) return null;
  const fileName = fileNameOf(asset.id);
  return (
    <section className="file-preview" aria-label={fileName ? `Preview of ${fileName}` : "Preview"}>
      <FilePreview path={path} contentType={asset.contentType} name={fileName ?? name} />
    </section>
  );
}
