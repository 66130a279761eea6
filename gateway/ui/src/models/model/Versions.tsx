import { useState } from "react";
import { call } from "../../api/client";
import { MODELS } from "../../api/paths";
import { invalidate, useResource } from "../../api/resource";
import type { ManifestSource, ModelManifest, ModelVersion, SavedModel } from "../../api/types";
import { Ago } from "../../components/Ago";
import { Button } from "../../components/Button";
import { Failed, Loading } from "../../components/States";
import { toast } from "../../components/Toast";
import { useMe } from "../../shell/session";
import { LineDifference } from "./LineDifference";

/** The saved versions, the difference between one and the present one, and the way back. */
export function Versions({ name, source }: { name: string; source: ManifestSource }) {
  const own = useMe().data?.user.id;
  const path = `${MODELS}/${name}`;
  const versions = useResource<ModelVersion[]>(`${path}/versions`);
  const [chosen, setChosen] = useState<number | null>(null);
  const shown = chosen ?? versions.data?.[1]?.version ?? null;
  if (versions.error && !versions.data) return <Failed error={versions.error} retry={versions.reload} />;
  if (!versions.data) return <Loading />;
  return (
    <div className="model-versions">
      <ol className="version-list" aria-label="Versions">
        {versions.data.map((each) => (
          <li key={each.version}>
            <button type="button" aria-pressed={each.version === shown} disabled={each.version === source.version} onClick={() => setChosen(each.version)}>
              <strong>Version {each.version}</strong>
              {each.version === source.version && <span className="badge good">Counts now</span>}
              <span className="hint">
                <Ago at={each.updatedAt} /> by {each.savedBy === own ? "you" : each.savedBy}
              </span>
            </button>
          </li>
        ))}
      </ol>
      <section aria-label="Difference">
        {shown === null ? (
          <p className="muted">There is no former version yet. Each save makes one.</p>
        ) : (
          <Former key={shown} name={name} version={shown} source={source} onRestored={() => setChosen(null)} />
        )}
      </section>
    </div>
  );
}

interface FormerProps {
  name: string;
  version: number;
  source: ManifestSource;
  onRestored: () => void;
}

function Former({ name, version, source, onRestored }: FormerProps) {
  const path = `${MODELS}/${name}`;
  const former = useResource<ModelManifest>(`${path}?version=${version}`);
  if (former.error) return <Failed error={former.error} retry={former.reload} />;
  if (!former.data) return <Loading />;
  const { manifest } = former.data;
  const restore = async (): Promise<void> => {
    try {
      const saved = await call<SavedModel>("PUT", path, { manifest }, { "if-match": String(source.version) });
      toast(`Version ${version} counts again, as version ${saved.version}`);
      onRestored();
    } catch (error) {
      toast((error as Error).message);
    }
    invalidate(MODELS);
  };
  return (
    <div className="stack">
      <div className="row spread">
        <h2>
          From version {version} to version {source.version}
        </h2>
        <Button isCompact onClick={() => void restore()}>
          Restore version {version}
        </Button>
      </div>
      <LineDifference before={manifest} after={source.manifest} />
    </div>
  );
}
