import { useState } from "react";
import { type AliasHistory, aliasPath } from "../api/releases";
import { useResource } from "../api/resource";
import { Ago } from "../components/Ago";
import { Button } from "../components/Button";
import { Failed, Loading } from "../components/States";
import { changeInWords, isTakenBack } from "./words";

const SHOWN = 10;

/** The path of the changes of an alias, of which the newest 200 are kept. */
export function historyPath(slug: string, name: string): string {
  return `${aliasPath(slug, name)}/history`;
}

/** The changes of an alias, newest first. */
export function HistoryList({ slug, name }: { slug: string; name: string }) {
  const { data, error, reload } = useResource<AliasHistory>(historyPath(slug, name));
  const [isWhole, setWhole] = useState(false);
  if (!data) return error ? <Failed error={error} retry={reload} /> : <Loading height="4rem" />;
  const { rows } = data;
  if (rows.length === 0) return <p className="hint">Nothing has changed since the workflow has aliases.</p>;
  return (
    <div className="stack">
      <ol className="release-history" aria-label={`History of ${name}`}>
        {(isWhole ? rows : rows.slice(0, SHOWN)).map((entry, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: two changes may have one time
          <li key={`${entry.at} ${place}`} className={isTakenBack(entry) ? "taken-back" : undefined}>
            <p>
              {changeInWords(entry)}
              <span className="muted small">
                {" "}
                · <Ago at={entry.at} />
              </span>
            </p>
            {entry.by === "system" && <p className="small muted">{entry.reason}</p>}
          </li>
        ))}
      </ol>
      {!isWhole && rows.length > SHOWN && (
        <Button isCompact onClick={() => setWhole(true)}>
          All {rows.length} changes
        </Button>
      )}
    </div>
  );
}
