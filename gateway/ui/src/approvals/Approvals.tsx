import { useRef, useState } from "react";
import { type Answer, type Approval, APPROVALS } from "../api/approvals";
import { usePages } from "../api/pages";
import { useRenewal } from "../api/renewal";
import { Button } from "../components/Button";
import { Failed, Loading } from "../components/States";
import { Link, useParameter } from "../shell/router";
import { usePageTitle } from "../shell/Shell";
import { ApprovalList } from "./ApprovalList";
import { ChosenApproval } from "./ChosenApproval";
import { NoApprovals } from "./NoApprovals";
import { keyOf, placeOf } from "./words";
import "./approvals.css";

const FIRST = 50;
const LIST = `${APPROVALS}?limit=${FIRST}`;
/** No event tells that somebody else has answered. */
const RENEW_MS = 10_000;

/** The approvals that wait for an answer: a list, and the one that is chosen beside it. */
export default function Approvals() {
  usePageTitle("Approvals");
  const [chosen] = useParameter("approval", "");
  return (
    <>
      <div className={chosen ? "page-head inbox-head chosen" : "page-head"}>
        <div>
          <h1>Approvals</h1>
          <p>Runs that wait until a person decides. The first answer counts, from here, from a program or by the link.</p>
        </div>
      </div>
      <Inbox />
    </>
  );
}

function Inbox() {
  const { rows, error, reload, more } = usePages<Approval>(LIST);
  const [parameter] = useParameter("approval", "");
  const [answers, setAnswers] = useState<Record<string, Answer>>({});
  const seen = useSeen(rows);
  const key = useChosen(rows, parameter);
  // A first page that is read anew takes away those after it.
  useRenewal(APPROVALS, rows !== undefined && rows.length <= FIRST, RENEW_MS);
  if (!rows) return error ? <Failed error={error} retry={reload} /> : <Loading height="24rem" />;
  const waiting = rows.filter((row) => !answers[keyOf(row)]);
  if (waiting.length === 0 && !key) return <NoApprovals />;
  const place = placeOf(key);
  return (
    <div className={parameter ? "inbox chosen" : "inbox"}>
      <div className="stack inbox-list">
        {waiting.length > 0 && <ApprovalList rows={waiting} chosen={key} />}
        {waiting.length === 0 && <p className="muted">Nothing else waits for an answer.</p>}
        {more && <Button onClick={() => void more()}>Show more</Button>}
        {error && (
          <p className="fault" role="alert">
            {error.message}
          </p>
        )}
      </div>
      <div className="stack inbox-panel">
        <p className="back inbox-back">
          <Link href="/app/approvals">All approvals</Link>
        </p>
        {place && (
          <ChosenApproval
            key={key}
            place={place}
            row={waiting.find((each) => keyOf(each) === key)}
            seen={seen.get(key)}
            given={answers[key]}
            next={waiting[0]}
            onAnswered={(answer) => setAnswers((before) => ({ ...before, [key]: answer }))}
          />
        )}
      </div>
    </div>
  );
}

/** All approvals that were listed, by their keys: those that wait no more are still shown. */
function useSeen(rows: Approval[] | undefined): Map<string, Approval> {
  const seen = useRef(new Map<string, Approval>());
  for (const row of rows ?? []) seen.current.set(keyOf(row), row);
  return seen.current;
}

/** The chosen one, at first the first of the list, which stays while others come and go: nobody shall answer another one by chance. */
function useChosen(rows: Approval[] | undefined, parameter: string): string {
  const first = useRef("");
  if (parameter) first.current = parameter;
  else if (!first.current && rows?.[0]) first.current = keyOf(rows[0]);
  return first.current;
}
