import { usePages } from "../api/pages";
import type { AuditEntry } from "../api/types";
import { Ago } from "../components/Ago";
import { Button } from "../components/Button";
import { Empty, Failed, Loading } from "../components/States";

/** Acts of admins and commands, newest first. */
export function AuditLog() {
  const { rows, error, reload, more } = usePages<AuditEntry>("/api/admin/audit");
  if (!rows) return error ? <Failed error={error} retry={reload} /> : <Loading />;
  if (rows.length === 0) return <Empty title="Nothing was changed yet" />;
  return (
    <div className="stack">
      <div className="table-frame">
        <table className="stacked">
          <thead>
            <tr>
              <th scope="col">Act</th>
              <th scope="col">Subject</th>
              <th scope="col">Change</th>
              <th scope="col">By</th>
              <th scope="col">When</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((entry) => (
              <tr key={entry.id}>
                <th scope="row">{entry.action}</th>
                <td data-label="Subject">
                  <code>{entry.subject}</code>
                </td>
                <td data-label="Change">
                  <Change before={entry.before} after={entry.after} />
                </td>
                <td data-label="By">
                  <code>{entry.by}</code>
                </td>
                <td className="muted small" data-label="When">
                  <Ago at={entry.at} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {more && <Button onClick={() => void more()}>Show more</Button>}
    </div>
  );
}

function words(value: unknown): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  return Object.entries(value)
    .map(([name, each]) => `${name} ${typeof each === "string" ? each : JSON.stringify(each)}`)
    .join(", ");
}

function Change({ before, after }: { before: unknown; after: unknown }) {
  return (
    <span className="small">
      {before !== null && <del>{words(before)}</del>} {after !== null && <ins>{words(after)}</ins>}
    </span>
  );
}
