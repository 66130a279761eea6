import { useState } from "react";
import { assetPath } from "../../api/assets";
import { useResource } from "../../api/resource";
import type { Asset } from "../../api/types";
import { Button } from "../../components/Button";
import { isSignedIn } from "../../shell/session";

interface Props {
  assetId: string;
  name: string;
}

/** Pages of which the API makes pictures. */
const MOST_PAGES = 20;
const WIDTH_PX = 1_024;

const PDF = "application/pdf";

/** Whether the API makes pictures of the pages of this type. */
export function hasPages(contentType: string): boolean {
  return contentType === PDF;
}

/** Address of a link to the picture of a page. */
export function pagePath(assetId: string, page: number, width = WIDTH_PX): string {
  return `/api/assets/${assetId}?w=${width}&page=${page}`;
}

/** The pages of a PDF as pictures, one at a time. The API tells the end by refusing the page behind it. */
export function Pages({ assetId, name }: Props) {
  const [page, setPage] = useState(1);
  const [count, setCount] = useState<number | null>(null);
  const { data, error } = useResource<Asset>(isSignedIn ? pagePath(assetId, page) : null);
  const [isFailed, setFailed] = useState(false);
  const isMissing = isFailed || error !== undefined;
  if (isMissing && page > 1) {
    setFailed(false);
    setCount(page - 1);
    setPage(page - 1);
  }
  if (!isSignedIn || (isMissing && page === 1)) return <p className="hint">There are no pictures of its pages.</p>;
  const path = data && assetPath(data.url);
  const isLast = page === (count ?? MOST_PAGES);
  return (
    <div className="pages">
      <div className="page-picture" aria-busy={!path}>
        {path && <img src={path} alt={`Page ${page} of ${name}`} onError={() => setFailed(true)} />}
      </div>
      {count !== 1 && (
        <div className="row">
          <Button isCompact disabled={page === 1} onClick={() => setPage(page - 1)}>
            Previous page
          </Button>
          <Button isCompact disabled={isLast} onClick={() => setPage(page + 1)}>
            Next page
          </Button>
          <span className="muted small figures" role="status">
            Page {page}
            {count !== null && ` of ${count}`}
            {count === null && page === MOST_PAGES && ", the last one of which there is a picture"}
          </span>
        </div>
      )}
    </div>
  );
}
