import type { Alias, Canary, CanaryFigures, CanarySide } from "../../api/releases";
import { duration } from "../../components/Ago";
import { Link } from "../../shell/router";
import { percent } from "../words";

interface Props {
  slug: string;
  alias: Alias;
  canary: Canary;
  figures: CanaryFigures;
}

/** The figures of the canary beside those of the other runs of its alias. */
export function Comparison({ slug, alias, canary, figures }: Props) {
  const sides: [string, number, CanarySide][] = [
    ["canary", canary.version, figures.canary],
    ["live", alias.version, figures.live],
  ];
  return (
    <div className="table-frame">
      <table className="stacked comparison" aria-label={`Canary of ${alias.name} beside version ${alias.version}`}>
        <thead>
          <tr>
            <th scope="col">Version</th>
            <th scope="col" className="end">
              Runs
            </th>
            <th scope="col" className="end">
              Failed
            </th>
            <th scope="col" className="end">
              p50
            </th>
            <th scope="col" className="end">
              p95
            </th>
          </tr>
        </thead>
        <tbody>
          {sides.map(([name, version, side]) => (
            <tr key={name}>
              <th scope="row">
                <span className={`side ${name}`}>
                  Version {version}
                  {name === "canary" && ", canary"}
                </span>
              </th>
              <td className="end figures" data-label="Runs">
                {side.runs.toLocaleString("en")}
              </td>
              <td className="end figures" data-label="Failed">
                {side.failed > 0 ? (
                  <Link href={`/app/executions?workflowSlug=${slug}&status=failed&version=${version}`}>
                    {side.failed.toLocaleString("en")} ({percent(side.errorRate ?? 0)})
                  </Link>
                ) : side.runs > 0 ? (
                  "0"
                ) : (
                  "–"
                )}
              </td>
              <td className="end figures" data-label="p50">
                {side.p50Ms === null ? "–" : duration(side.p50Ms)}
              </td>
              <td className="end figures" data-label="p95">
                {side.p95Ms === null ? "–" : duration(side.p95Ms)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
