import { useId } from "react";
import { Fold } from "../../../editor/settings/Fold";
import { isTable, type Table, valueAt } from "../toml";
import { type FormProps, Members } from "./Members";
import { type Call, CALLS, MEMBERS } from "./memberTable";

const BEGINNINGS: Record<string, Table> = {
  openai: { model: "the-name-of-the-model" },
  anthropic: { model: "the-name-of-the-model" },
  http: { path: "/v1/calls", result: "result", body: { prompt: "{{ prompt }}" } },
  builtin: { template: "{{ prompt }}" },
};
const JOB: Table = { id: "id", path: "/v1/jobs/{{ job }}", status: "status", done: ["succeeded"], failed: ["failed"] };

/** The call of the provider: the choice of a section, and the members of the chosen one. */
export function CallPart({ manifest }: FormProps) {
  const id = useId();
  const call = CALLS.find(({ name }) => name in manifest.table);
  return (
    <>
      <div className="field">
        <label htmlFor={`${id}-call`}>How it is called</label>
        <select id={`${id}-call`} className="input" value={call?.name ?? ""} onChange={(event) => manifest.change([], switched(manifest.table, call, event.target.value))}>
          {!call && <option value="">Choose…</option>}
          {CALLS.map(({ name, title }) => (
            <option key={name} value={name}>
              {title}
            </option>
          ))}
        </select>
      </div>
      {call && <Members manifest={manifest} members={call.members} path={[call.name]} />}
      {call?.name === "http" && <Job manifest={manifest} />}
      {call?.name === "http" && (
        <Fold summary="Where the answer says what was used" isOpenAtFirst={isTable(valueAt(manifest.table, ["http", "usage"]))}>
          <Members manifest={manifest} members={MEMBERS.usage} path={["http", "usage"]} />
        </Fold>
      )}
    </>
  );
}

function Job({ manifest }: FormProps) {
  const id = useId();
  const http = manifest.table.http;
  const isJob = isTable(http) && isTable(http.job);
  return (
    <fieldset className="stack sub-part">
      <legend className="hidden-visually">Job</legend>
      <div className="row spread">
        <label htmlFor={id} className="label">
          It is a job, submitted and asked after
        </label>
        <input
          id={id}
          type="checkbox"
          role="switch"
          className="switch"
          checked={isJob}
          onChange={(event) => manifest.change(["http", "job"], event.target.checked ? JOB : undefined)}
        />
      </div>
      {isJob && <Members manifest={manifest} members={MEMBERS.job} path={["http", "job"]} />}
    </fieldset>
  );
}

/** The manifest with another section for the call, which keeps the provider's address and other members that both have. */
function switched(table: Table, from: Call | undefined, to: string): Table {
  const before = from && table[from.name];
  const rest = Object.fromEntries(Object.entries(table).filter(([name]) => !CALLS.some((call) => call.name === name)));
  const names = new Set(CALLS.find(({ name }) => name === to)?.members.map(({ name }) => name));
  const shared = Object.entries(isTable(before) ? before : {}).filter(([name]) => names.has(name) && name !== "body");
  const base = to === "openai" || to === "http" ? { base_url: "https://api.example.com" } : {};
  return { ...rest, [to]: { ...base, ...Object.fromEntries(shared), ...BEGINNINGS[to] } };
}
