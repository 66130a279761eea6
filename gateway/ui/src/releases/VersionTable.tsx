import type { Alias } from "../api/releases";
import { Ago } from "../components/Ago";
import { Loading } from "../components/States";
import { Link } from "../shell/router";
import { useVersions } from "./useVersions";

const SHOWN = 20;

/** The newest versions, with the aliases that name them. */
export function VersionTable({ slug, aliases }: { slug: string; aliases: Alias[] }) {
  const versions = useVersions(slug);
  if (!versions) return <Loading height="8rem" />;
  return (
    <div className="table-frame">
      <table className="stacked" aria-label="Versions">
        <thead>
          <tr>
            <th scope="col">Version</th>
            <th scope="col">Serves</th>
            <th scope="col">Note</th>
            <th scope="col">Published</th>
            <th scope="col">Runs</th>
          </tr>
        </thead>
        <tbody>
          {versions.slice(0, SHOWN).map(({ version, note, createdAt }) => (
            <tr key={version}>
              <th scope="row">Version {version}</th>
              <td>
                <Serves version={version} aliases={aliases} />
              </td>
              <td>{note}</td>
              <td className="muted small">
                <Ago at={createdAt} />
              </td>
              <td>
                <Link href={`/app/executions?workflowSlug=${slug}&version=${version}`} aria-label={`Executions of version ${version}`}>
                  Executions
                </Link>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Serves({ version, aliases }: { version: number; aliases: Alias[] }) {
  return (
    <span className="row serves">
      {aliases.map(({ name, version: own, canary }) => {
        if (own === version) {
          return (
            <span key={name} className="badge good">
              {name} {canary ? `${100 - canary.percent} %` : ""}
            </span>
          );
        }
        return canary?.version === version ? (
          <span key={name} className="badge active">
            {name}, canary {canary.percent} %
          </span>
        ) : null;
      })}
    </span>
  );
}
