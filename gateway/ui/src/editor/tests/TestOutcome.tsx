import type { Expectation as Judged, TestResult } from "../../api/workflowTests";
import { credits, duration } from "../../components/Ago";
import { Link } from "../../shell/router";
import { SocketValue } from "../running/values/SocketValue";
import { isMedium } from "../running/values/values";
import { SIGNS } from "./VerdictBadge";

/** The result of one test: each expectation with the values that it saw, and the run. */
export function TestOutcome({ result }: { result: TestResult }) {
  const { error, expectations, executionId, judge, durationMs } = result;
  return (
    <div className="stack tight test-outcome">
      {error && (
        <p className="note bad">
          {error.message} <code>{error.code}</code>
        </p>
      )}
      {expectations.length > 0 && (
        <ul className="expectations" aria-label={`Expectations of ${result.name}`}>
          {expectations.map((each, place) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: expectations have no identity
            <Expectation key={place} expectation={each} />
          ))}
        </ul>
      )}
      {judge && (
        <div className="small">
          <p className="muted">
            The{" "}
            <Link href={`/app/executions/${judge.executionId}`} aria-label={`Execution of the judge of ${result.name}`}>
              judge
            </Link>{" "}
            gave:
          </p>
          <SocketValue name="judge" value={judge.result} />
        </div>
      )}
      {executionId && (
        <p className="small muted">
          {durationMs !== null && `${duration(durationMs)}, `}
          {credits(result.creditsCost)} ·{" "}
          <Link href={`/app/executions/${executionId}`} aria-label={`Execution of ${result.name}`}>
            Its execution
          </Link>
        </p>
      )}
    </div>
  );
}

function Expectation({ expectation: { expression, met, values, reason } }: { expectation: Judged }) {
  const verdict = met === null ? "error" : met ? "passed" : "failed";
  const seen = Object.entries(values);
  return (
    <li className={verdict}>
      <span className="sign" aria-hidden="true">
        {SIGNS[verdict]}
      </span>
      <div>
        <code>{expression}</code>
        <span className="hidden-visually">: {verdict}</span>
        {reason && <p className="fault">{reason}</p>}
        {seen.length > 0 && (
          <dl className="seen" aria-label="Values that it saw">
            {seen.map(([path, value]) => (
              <div key={path}>
                <dt>
                  <code>{path}</code>
                </dt>
                <dd>
                  <SeenValue path={path} value={value} />
                </dd>
              </div>
            ))}
          </dl>
        )}
      </div>
    </li>
  );
}

/** A medium as itself, a text as it is, any other value as JSON; long ones are cut already. */
function SeenValue({ path, value }: { path: string; value: unknown }) {
  if (isMedium(value, undefined)) return <SocketValue name={path} value={value} />;
  return (
    <pre className="value-text" tabIndex={0} aria-label={path}>
      {JSON.stringify(value, null, 2)}
    </pre>
  );
}
