/** The next times of a schedule, as the server counts them. */

import { useEffect, useState } from "react";
import { type ApiError, call } from "../../api/client";
import { TRIGGERS } from "../../api/triggers";
import type { Preview } from "../../api/types";
import { refusalOf } from "../common/faults";

const TYPING_MS = 250;
const COUNT = 5;

export interface NextTimes {
  at: string[];
  /** Faults by the member that the server refuses. */
  faults: Record<string, string>;
}

const NONE: NextTimes = { at: [], faults: {} };

/** Ask for the next times once one stops typing; an answer to a former question is left out. */
export function useNextTimes(cron: string, timezone: string): NextTimes {
  const [times, setTimes] = useState(NONE);
  useEffect(() => {
    let isCurrent = true;
    const show = (found: NextTimes): void => {
      if (isCurrent) setTimes(found);
    };
    const timer = setTimeout(() => {
      call<Preview>("POST", `${TRIGGERS}/preview`, { cron, timezone, count: COUNT }).then(
        ({ at }) => show({ at, faults: {} }),
        (error: ApiError) => {
          const { field, reason } = refusalOf(error);
          show({ at: [], faults: { [field]: reason } });
        },
      );
    }, TYPING_MS);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [cron, timezone]);
  return times;
}
