import { useEffect, useState } from "react";
import { invalidate } from "../api/resource";
import type { Me, RateWindow } from "../api/types";

/** Limits of the account, with the rest of each; limits that it does not have are not named. */
export function Limits({ limits }: { limits: Me["limits"] }) {
  const { runsPerMinute, active, media } = limits;
  if (!runsPerMinute && !active && !media) return null;
  return (
    <dl className="limits figures" aria-label="Limits">
      {runsPerMinute && <Rate window={runsPerMinute} />}
      {active && (
        <div>
          <dt>Under way</dt>
          <dd>
            {active.used.toLocaleString("en")} of {active.limit.toLocaleString("en")}
          </dd>
        </div>
      )}
      {media && (
        <div>
          <dt>Stored media</dt>
          <dd>
            {mebibytes(media.used)} of {mebibytes(media.limit)} MiB
          </dd>
        </div>
      )}
    </dl>
  );
}

function Rate({ window: { limit, remaining, reset } }: { window: RateWindow }) {
  const [now, setNow] = useState(Date.now);
  const seconds = Math.ceil(reset - now / 1_000);
  const isOpen = remaining < limit;
  const isOver = isOpen && seconds <= 0;
  useEffect(() => {
    if (!isOpen) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, [isOpen, reset]);
  useEffect(() => {
    if (isOver) invalidate("/api/me");
  }, [isOver]);
  return (
    <div>
      <dt>Runs left this minute</dt>
      <dd className={remaining === 0 && !isOver ? "bad" : undefined}>
        {remaining.toLocaleString("en")} of {limit.toLocaleString("en")}
        {isOpen && seconds > 0 && `, all again in ${seconds} s`}
      </dd>
    </div>
  );
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toLocaleString("en", { maximumFractionDigits: 1 });
}
