import type { Alias } from "../api/releases";
import { callersOf } from "./words";

/** The versions that serve the callers of an alias, by their share. */
export function ShareBar({ alias: { name, version, canary } }: { alias: Alias }) {
  const share = canary?.percent ?? 0;
  const words = canary
    ? `${100 - share} % of the runs get version ${version}, ${share} % get version ${canary.version}`
    : `All runs get version ${version}`;
  return (
    <div className="share">
      <p className="muted small">{callersOf(name)}</p>
      <div className="share-bar" role="img" aria-label={words}>
        <span className="live" style={{ width: `${100 - share}%` }} />
        {canary && <span className="canary" style={{ width: `${share}%` }} />}
      </div>
      <p className="row spread small figures" aria-hidden="true">
        <span className="side live">
          Version {version} <strong>{100 - share} %</strong>
        </span>
        {canary && (
          <span className="side canary">
            Version {canary.version}, canary <strong>{share} %</strong>
          </span>
        )}
      </p>
    </div>
  );
}
