/** The models and node types of this installation, as the signed-in account may use them. */

import { useMemo } from "react";
import { useResource } from "../api/resource";
import type { Model, NodeTypeRow } from "../api/types";
import { useMe } from "../shell/session";
import type { Surroundings } from "./requirements";

export function useSurroundings(): Surroundings | undefined {
  const models = useResource<Model[]>("/api/models").data;
  const types = useResource<NodeTypeRow[]>("/api/node-types").data;
  const tier = useMe().data?.user.tier;
  return useMemo(() => models && types && tier && { models, types, tier }, [models, types, tier]);
}
