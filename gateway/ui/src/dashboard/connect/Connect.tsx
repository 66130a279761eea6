import { type FormEvent, useState } from "react";
import { type ApiError, call } from "../../api/client";
import { KEYS, WORKFLOWS } from "../../api/paths";
import { invalidate, useResource } from "../../api/resource";
import type { AnsweredRequest, GrantRequest, WorkflowRow } from "../../api/types";
import { Button } from "../../components/Button";
import { Fact } from "../../components/Fact";
import { Empty, Failed, Loading } from "../../components/States";
import { Link } from "../../shell/router";
import { usePageTitle } from "../../shell/Shell";
import { useMe } from "../../shell/session";
import { destinationOf } from "./destination";
import { WorkflowChoice } from "./WorkflowChoice";
import "./connect.css";

/** The page on which an owner answers a client's request for a grant. */
export default function Connect({ token }: { token: string }) {
  usePageTitle("Connect a program");
  const path = `/api/grant-requests/${token}`;
  const request = useResource<GrantRequest>(path);
  const workflows = useResource<WorkflowRow[]>(WORKFLOWS);
  const [answered, setAnswered] = useState<string | null>(null);
  const [refusal, setRefusal] = useState("");
  const answer = async (body: object, words: string): Promise<void> => {
    try {
      const { redirectTo } = await call<AnsweredRequest>("POST", path, body);
      invalidate(KEYS);
      setAnswered(words);
      location.assign(redirectTo);
    } catch (error) {
      setRefusal((error as Error).message);
    }
  };
  const refuse = (): Promise<void> => answer({ granted: false }, "Nothing was granted.");
  if (answered) return <Answered words={answered} />;
  if (request.error) return <Refused error={request.error} refusal={refusal} onBack={refuse} />;
  if (workflows.error && !workflows.data) return <Failed error={workflows.error} retry={workflows.reload} />;
  if (!request.data || !workflows.data) return <Loading />;
  return (
    <div className="connect">
      <h1>Connect a program</h1>
      <Asking request={request.data} />
      <Form
        workflows={workflows.data.filter((row) => row.createdBy !== null && !row.hidden && !row.archived)}
        refusal={refusal}
        onGrant={(chosen) => answer({ granted: true, workflows: chosen }, "The program is connected.")}
        onRefuse={refuse}
      />
    </div>
  );
}

/** The client that asks, the account, and the address of the answer. */
function Asking({ request }: { request: GrantRequest }) {
  const me = useMe().data;
  const { name, words } = destinationOf(request.redirectUri);
  return (
    <>
      <p>
        A program that calls itself <strong className="client-name">{request.clientName}</strong> asks to run workflows of your
        account{me && <> {me.user.email}</>}, at its cost.
      </p>
      <dl className="panel facts-of-grant">
        <Fact name="The answer goes to">
          <strong>{name}</strong> <span className="muted">{words}</span>
          <br />
          <code className="small">{request.redirectUri}</code>
        </Fact>
      </dl>
      <p className="note warn">
        Nobody has checked the name. Connect it only if you began this in a program of yours, and know the address above.
      </p>
    </>
  );
}

interface FormProps {
  workflows: WorkflowRow[];
  refusal: string;
  onGrant: (chosen: string[] | null) => Promise<void>;
  onRefuse: () => Promise<void>;
}

function Form({ workflows, refusal, onGrant, onRefuse }: FormProps) {
  const [isAll, setAll] = useState(false);
  const [chosen, setChosen] = useState<string[]>([]);
  const [fault, setFault] = useState("");
  const [isSent, setSent] = useState(false);
  const send = async (work: () => Promise<void>): Promise<void> => {
    setSent(true);
    await work();
    setSent(false);
  };
  const grant = (event: FormEvent): void => {
    event.preventDefault();
    const isEmpty = !isAll && chosen.length === 0;
    setFault(isEmpty ? "Choose at least one workflow." : "");
    if (!isEmpty) void send(() => onGrant(isAll ? null : chosen));
  };
  return (
    <form className="stack" onSubmit={grant} noValidate>
      <WorkflowChoice workflows={workflows} isAll={isAll} chosen={chosen} onAll={setAll} onChoose={setChosen} />
      <p className="muted small">
        The program gets an API key, which <Link href="/app/api/keys">API keys</Link> lists and revokes.
      </p>
      {(fault || refusal) && (
        <p className="note bad" role="alert">
          {fault || refusal}
        </p>
      )}
      <div className="actions">
        <Button look="quiet" disabled={isSent} onClick={() => void send(onRefuse)}>
          Refuse
        </Button>
        <Button look="primary" type="submit" disabled={isSent}>
          Connect
        </Button>
      </div>
    </form>
  );
}

/** The end of the page where the browser stays on it. */
function Answered({ words }: { words: string }) {
  return (
    <Empty title={words}>
      <p role="status">The browser goes back to the program. If it does not, go back by hand; this page can be closed.</p>
    </Empty>
  );
}

const FORBIDDEN = 403;

function Refused({ error, refusal, onBack }: { error: ApiError; refusal: string; onBack: () => Promise<void> }) {
  return (
    <div className="state" role="alert">
      <h1>This connection cannot be made</h1>
      <p>{refusal || error.message}.</p>
      {error.status === FORBIDDEN && <Button onClick={() => void onBack()}>Go back to the program</Button>}
    </div>
  );
}
