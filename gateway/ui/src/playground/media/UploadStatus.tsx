import { Button } from "../../components/Button";
import { sizeInWords } from "./kinds";
import { isTemporary, type Uploader } from "./useUpload";

/** The progress of an upload, or the error of the API that ended it. */
export function UploadStatus({ uploader, hint }: { uploader: Uploader; hint?: string | undefined }) {
  const { file, part, error } = uploader.state;
  return (
    <>
      {file && (
        <div className="upload-row">
          <span className="small">
            {file.name}, {sizeInWords(file.size)}
          </span>
          <progress value={part} aria-label={`Upload of ${file.name}`} />
          <Button isCompact look="quiet" onClick={uploader.cancel}>
            Cancel the upload
          </Button>
        </div>
      )}
      {error && (
        <p className="fault row" role="alert">
          <span>
            {error.message} {error.code && <code>{error.code}</code>}
          </span>
          {isTemporary(error) && (
            <Button isCompact onClick={uploader.retry}>
              Try again
            </Button>
          )}
        </p>
      )}
      <p className="hint" role="status">
        {file ? `Uploading ${file.name}…` : !error && hint}
      </p>
    </>
  );
}
