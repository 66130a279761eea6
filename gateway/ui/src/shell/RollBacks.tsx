import { useEffect } from "react";
import { watchRollBacks } from "../api/live";
import { releasesAddress } from "../api/releases";
import { toast } from "../components/Toast";
import { navigate } from "./router";

/** Says on every page that a canary was taken back by itself. */
export function RollBacks() {
  useEffect(
    () =>
      watchRollBacks(({ workflowSlug, canary, reason }) =>
        toast(`Version ${canary.version} of ${workflowSlug} was taken back: ${reason}`, {
          label: "Show it",
          run: () => navigate(releasesAddress(workflowSlug)),
        }),
      ),
    [],
  );
  return null;
}
