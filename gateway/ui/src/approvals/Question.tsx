import { useResource } from "../api/resource";
import type { NodeValues } from "../api/types";
import { Loading } from "../components/States";
import { SocketValue } from "../editor/running/values/SocketValue";
import { valuesPath } from "../editor/running/values/values";
import "../editor/running/running.css";
import "../playground/playground.css";
import "./answer.css";

interface Props {
  executionId: string;
  nodeId: string;
  message: string;
}

const VALUE = "value-in";

/** The message of an approval as plain text, and the value on which is decided, where the message lacks it. */
export function Question({ executionId, nodeId, message }: Props) {
  const { data, error } = useResource<NodeValues>(valuesPath(executionId, nodeId));
  const given = data?.inputs?.[VALUE];
  const value = isTold(given, message) ? undefined : given;
  return (
    <>
      <Message text={message} />
      {!data && !error && <Loading height="4rem" />}
      {error && <p className="muted small">The value could not be loaded: {error.message}</p>}
      {value !== undefined && (
        <section className="stack approval-value" aria-label="Value">
          <h3>Value</h3>
          <div>
            <SocketValue name="value" value={value} />
          </div>
        </section>
      )}
    </>
  );
}

/** Whether a message has the value in it. */
function isTold(value: unknown, message: string): boolean {
  return typeof value === "string" && message.includes(value.trim());
}

export function Message({ text }: { text: string }) {
  return text ? <p className="approval-message">{text}</p> : null;
}
