import { useResource } from "../api/resource";
import { Failed, Loading } from "../components/States";

interface Readiness {
  status: string;
  degraded?: string[];
}

const MEANING: Record<string, string> = {
  memory: "Redis is close to its limit of memory, so new runs may be refused. Give it more, or shorten retention.",
  hints: "Hints to workers are not sent; runs wait for the sweeper and begin seconds later.",
  history: "The database of the history is away or behind. Nothing is lost; what only it holds cannot be shown.",
};

/** Whether the installation serves as it should, and the reason if not. */
export function Installation() {
  const { data, error, reload } = useResource<Readiness>("/readyz");
  if (!data) return error ? <Failed error={error} retry={reload} /> : <Loading />;
  const degraded = data.degraded ?? [];
  return (
    <div className="stack">
      {degraded.length === 0 && <p className="note good">All parts of this installation answer as they should.</p>}
      {degraded.map((name) => (
        <div className="note warn" key={name}>
          <h2>{name}</h2>
          <p>{MEANING[name] ?? "This part does not work as it should."}</p>
        </div>
      ))}
      <p className="hint">
        For programs: <a href="/readyz">/readyz</a> and <a href="/metrics">/metrics</a>. On the machine,{" "}
        <code>headrace doctor</code> examines everything and says what to do.
      </p>
    </div>
  );
}
