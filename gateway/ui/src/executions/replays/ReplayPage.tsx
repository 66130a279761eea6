import { useRenewal } from "../../api/renewal";
import { againstInWords, type ReplayDetails, replayPath } from "../../api/replays";
import { useResource } from "../../api/resource";
import { Failed, Loading } from "../../components/States";
import { Link } from "../../shell/router";
import { usePageTitle } from "../../shell/Shell";
import { ReplayHeader } from "./ReplayHeader";
import { ReplayRows } from "./ReplayRows";
import "../execution/execution.css";
import "../executions.css";
import "./replays.css";

/** One replay: its counts, its rows, and the difference of each by value. */
export default function ReplayPage({ id }: { id: string }) {
  const path = replayPath(id);
  const { data, error, reload } = useResource<ReplayDetails>(path);
  usePageTitle(data ? `Replay of ${data.workflowSlug} against ${againstInWords(data.against)}` : "Replay");
  useRenewal(path, data?.status === "processing");
  return (
    <>
      <p className="back">
        <Link href="/app/replays">Replays</Link>
      </p>
      {data && (
        <div className="stack execution">
          <ReplayHeader replay={data} />
          <ReplayRows replay={data} />
        </div>
      )}
      {!data && <h1>Replay {id.slice(0, 8)}</h1>}
      {!data && (error ? error.status === 404 ? <Missing /> : <Failed error={error} retry={reload} /> : <Loading height="24rem" />)}
    </>
  );
}

function Missing() {
  return (
    <div className="state">
      <h2>There is no such replay</h2>
      <p>Its id is wrong, it belongs to another account, or it is not kept any more.</p>
    </div>
  );
}
