import { useId } from "react";
import { Fold } from "../../../editor/settings/Fold";
import { isTable, type Table, valueAt } from "../toml";
import { type FormProps, Members } from "./Members";
import { CALLS, type CallName, MEMBERS } from "./memberTable";

const BEGINNINGS: Record<CallName, Table> = {
  openai: { model: "the-name-of-the-model" },
  anthropic: { model: "the-name-of-the-model" },
  http: { path: "/v1/calls", result: "result", body: { prompt: "{{ prompt }}" } },
  builtin: { template: "{{ prompt }}" },
};
const JOB: Table = { id: "id", path: "/v1/jobs/{{ job }}", status: "status", done: ["succeeded"], failed: ["failed"] };

/** How the provider is called: one section, of which the form shows what its protocol has. */
export function CallPart({ manifest }: FormProps) {
  const id = useId();
  const names = Object.keys(CALLS) as CallName[];
  const name = names.find((each) => each in manifest.table);
  return (
    <>
      <div className="field">
        <label htmlFor={`${id}-call`}>How it is called</label>
        <select id={`${id}-call`} className="input" value={name ?? ""} onChange={(event) => manifest.change([], switched(manifest.table, name, event.target.value as CallName))}>
          {name === undefined && <option value="">Choose…</option>}
          {names.map((each) => (
            <option key={each} value={each}>
              {CALLS[each]}
            </option>
          ))}
        </select>
      </div>
      {name && name !== "builtin" && <Members manifest={manifest} members={[...MEMBERS[name], ...MEMBERS.endpoint]} path={[name]} />}
      {name === "builtin" && <Members manifest={manifest} members={MEMBERS.builtin} path={[name]} />}
      {name === "http" && <Job manifest={manifest} />}
      {name === "http" && (
        <Fold summary="Where the answer says what was used" isOpenAtFirst={isTable(valueAt(manifest.table, ["http", "usage"]))}>
          <Members manifest={manifest} members={MEMBERS["http.usage"]} path={["http", "usage"]} />
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
      {isJob && <Members manifest={manifest} members={MEMBERS["http.job"]} path={["http", "job"]} />}
    </fieldset>
  );
}

/** The manifest with another section for the call, which keeps the provider's address. */
function switched(table: Table, from: CallName | undefined, to: CallName): Table {
  const { openai: _, anthropic: __, http: ___, builtin: ____, ...rest } = table;
  const before = from ? table[from] : undefined;
  const kept = MEMBERS.endpoint.map((each) => each.name).filter((name) => isTable(before) && name in before);
  const endpoint = to === "builtin" ? {} : Object.fromEntries(kept.map((name) => [name, (before as Table)[name]]));
  const base = to === "openai" || to === "http" ? { base_url: "https://api.example.com" } : {};
  return { ...rest, [to]: { ...base, ...endpoint, ...BEGINNINGS[to] } };
}
