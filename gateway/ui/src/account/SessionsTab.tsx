import { call } from "../api/client";
import { invalidate, replaceAnswer, useResource } from "../api/resource";
import type { Page, Session } from "../api/types";
import { Ago } from "../components/Ago";
import { Button } from "../components/Button";
import { Failed, Loading } from "../components/States";
import { toast } from "../components/Toast";

const SESSIONS = "/api/sessions";
const BROWSERS = ["Firefox", "Edg", "OPR", "Chrome", "Safari"];
const SYSTEMS = ["Android", "iPhone", "iPad", "Windows", "Mac OS", "Linux"];
const NAMES: Record<string, string> = { Edg: "Edge", OPR: "Opera", "Mac OS": "macOS" };

/** The browser and system of a user agent, as people name them. */
function named(userAgent: string): string {
  const find = (among: string[]): string | undefined => among.find((each) => userAgent.includes(each));
  const found = [find(BROWSERS), find(SYSTEMS)].filter((each) => each !== undefined);
  return found.map((each) => NAMES[each] ?? each).join(" on ") || userAgent || "unknown";
}

/** The browsers that are signed in to the account. */
export function SessionsTab() {
  const { data, error, reload } = useResource<Page<Session>>(SESSIONS);
  if (!data) return error ? <Failed error={error} retry={reload} /> : <Loading />;
  const end = async (session: Session): Promise<void> => {
    try {
      await call("DELETE", `${SESSIONS}/${session.id}`);
      replaceAnswer<Page<Session>>(SESSIONS, (page) => ({ ...page, rows: page.rows.filter((row) => row.id !== session.id) }));
      toast(`Signed out ${named(session.userAgent ?? "")}`);
    } catch (refused) {
      toast((refused as Error).message);
    }
    invalidate(SESSIONS);
  };
  return (
    <div className="table-frame">
      <table className="stacked">
        <thead>
          <tr>
            <th scope="col">Browser</th>
            <th scope="col">Address</th>
            <th scope="col">Signed in</th>
            <th scope="col">Last use</th>
            <th scope="col" className="end">
              <span className="hidden-visually">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {data.rows.map((session) => (
            <tr key={session.id}>
              <th scope="row" title={session.userAgent ?? undefined}>
                {named(session.userAgent ?? "")} {session.current && <span className="badge good">This one</span>}
              </th>
              <td data-label="Address">{session.address}</td>
              <td className="muted small" data-label="Signed in">
                <Ago at={session.createdAt} />
              </td>
              <td className="muted small" data-label="Last use">
                <Ago at={session.lastUsedAt} />
              </td>
              <td className="end actions-cell">
                {!session.current && (
                  <Button look="quiet" isCompact isDanger onClick={() => void end(session)}>
                    Sign out
                  </Button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
