import type { Events } from "./useEvents";

/** The events of the run as its stream gives them. */
export function EventList({ found: { events, count, error } }: { found: Events }) {
  if (error) return <p className="note bad">{error}</p>;
  if (events.length === 0) return <p className="muted">Nothing so far.</p>;
  return (
    <div className="stack">
      {count > events.length && <p className="muted small">The newest {events.length.toLocaleString("en")} of {count.toLocaleString("en")} events.</p>}
      <ol className="event-list" aria-label="Events">
        {events.map(({ id, name, data }) => (
          <li key={id}>
            <details>
              <summary>
                <code className="muted">{id}</code> <code>{name}</code> {typeof data.nodeId === "string" && <span>{data.nodeId}</span>}
                <span className="muted small"> {digest(data)}</span>
              </summary>
              <pre tabIndex={0} role="region" aria-label={`Data of ${id}`}>
                {JSON.stringify(data, null, 2)}
              </pre>
            </details>
          </li>
        ))}
      </ol>
    </div>
  );
}

const LONG = 60;

/** The one member that says most. */
function digest(data: Record<string, unknown>): string {
  if (typeof data.text === "string") return JSON.stringify(data.text.slice(0, LONG));
  if (typeof data.progress === "number") return `${Math.round(data.progress * 100)} %`;
  if (typeof data.status === "string") return data.status;
  return typeof data.attempt === "number" ? `attempt ${data.attempt}` : "";
}
