import type { TestResult, UnmetExpectation } from "../../api/workflowTests";
import { credits, duration } from "../../components/Ago";
import { Link } from "../../shell/router";
import { SocketValue } from "../running/values/SocketValue";
import { SIGNS } from "./VerdictBadge";

/** The result of one test: each expectation with the values that it saw, and the run. */
export function TestOutcome({ result, expect }: { result: TestResult; expect: readonly string[] }) {
  const { error, unmet, executionId, verdict } = result;
  // Without a run to look at, no expectation has held.
  const isJudged = verdict === "passed" || unmet.length > 0;
  return (
    <div className="stack tight test-outcome">
      {error && (
        <p className="note bad">
          {error.message} <code>{error.code}</code>
        </p>
      )}
      {isJudged && (
        <ul className="expectations" aria-label={`Expectations of ${result.name}`}>
          {expect.map((expression, place) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: expectations have no identity
            <Expectation key={place} expression={expression} unmet={unmet.find(({ index }) => index === place)} />
          ))}
        </ul>
      )}
      {executionId && (
        <p className="small muted">
          {result.durationMs !== null && `${duration(result.durationMs)}, `}
          {credits(result.creditsCost)} ·{" "}
          <Link href={`/app/executions/${executionId}`} aria-label={`Execution of ${result.name}`}>
            Its execution
          </Link>
          {result.judgeExecutionId && (
            <>
              {" "}
              · <Link href={`/app/executions/${result.judgeExecutionId}`}>The judge's</Link>
            </>
          )}
        </p>
      )}
    </div>
  );
}

function Expectation({ expression, unmet }: { expression: string; unmet: UnmetExpectation | undefined }) {
  const verdict = !unmet ? "passed" : unmet.reason ? "error" : "failed";
  const values = Object.entries(unmet?.values ?? {});
  return (
    <li className={verdict}>
      <span className="sign" aria-hidden="true">
        {SIGNS[verdict]}
      </span>
      <div>
        <code>{expression}</code>
        <span className="hidden-visually">: {verdict}</span>
        {unmet?.reason && <p className="fault">{unmet.reason}</p>}
        {values.length > 0 && (
          <dl className="seen" aria-label="Values that it saw">
            {values.map(([path, value]) => (
              <div key={path}>
                <dt>
                  <code>{path}</code>
                </dt>
                <dd>
                  <SocketValue name={path} value={value} />
                </dd>
              </div>
            ))}
          </dl>
        )}
      </div>
    </li>
  );
}
