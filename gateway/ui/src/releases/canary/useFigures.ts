/** Figures of a canary, read with each answer about its alias: an event cannot tell which of both to read first. */

import { useEffect, useState } from "react";
import { ApiError, get } from "../../api/client";
import { type Alias, aliasPath, type CanaryFigures } from "../../api/releases";

interface Figures {
  figures?: CanaryFigures;
  error?: ApiError;
}

export function useFigures(slug: string, alias: Alias): Figures {
  const [found, setFound] = useState<Figures>({});
  useEffect(() => {
    let isWanted = true;
    get<CanaryFigures>(`${aliasPath(slug, alias.name)}/canary`).then(
      (figures) => isWanted && setFound({ figures }),
      (error: ApiError) => isWanted && setFound((former) => (former.figures ? former : { error })),
    );
    return () => {
      isWanted = false;
    };
  }, [slug, alias]);
  return found;
}
