/** Facts about an asset by its link, asked of the server once. */

import { useEffect, useState } from "react";

export interface MediumFacts {
  contentType: string;
  bytes: number;
  /** Name under which browsers save it. */
  fileName: string;
}

const asked = new Map<string, Promise<MediumFacts | null>>();

async function ask(path: string): Promise<MediumFacts | null> {
  const answer = await fetch(path, { method: "HEAD" }).catch(() => null);
  if (!answer?.ok) return null;
  const { headers } = answer;
  return {
    contentType: headers.get("content-type")?.split(";")[0] ?? "",
    bytes: Number(headers.get("content-length")),
    fileName: /filename="([^"]+)"/.exec(headers.get("content-disposition") ?? "")?.[1] ?? "file",
  };
}

/** The facts of the asset at a path of this origin: undefined until they are there, null where the asset is gone. */
export function useFacts(path: string | null): MediumFacts | null | undefined {
  const [facts, setFacts] = useState<{ path: string; facts: MediumFacts | null }>();
  useEffect(() => {
    if (!path) return undefined;
    let isLeft = false;
    const answer = asked.get(path) ?? ask(path);
    asked.set(path, answer);
    void answer.then((found) => {
      // A server that is away may be back later.
      if (!found) asked.delete(path);
      if (!isLeft) setFacts({ path, facts: found });
    });
    return () => {
      isLeft = true;
    };
  }, [path]);
  return facts?.path === path ? facts?.facts : undefined;
}
