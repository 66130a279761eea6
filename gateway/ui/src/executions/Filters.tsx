import { type ReactNode, useEffect, useId, useState } from "react";
import { useResource } from "../api/resource";
import type { ApiKey, Model, WorkflowRow } from "../api/types";
import { Button } from "../components/Button";
import { setParameters } from "../shell/router";
import { clearFilters, type FilterName, type Filters, isFiltered, RANGES, SOURCES, STATUSES, statusesOf } from "./filters";

const RARE: FilterName[] = ["source", "keyId", "modelId", "errorCode", "version"];

/** What is shown: every filter of the list, each of them in the address. */
export function FilterBar({ filters }: { filters: Filters }) {
  const workflows = useResource<WorkflowRow[]>("/api/workflows").data ?? [];
  const rare = RARE.filter((name) => filters[name]).length;
  const [isOpen, setOpen] = useState(rare > 0);
  return (
    <search className="filters">
      <Statuses chosen={statusesOf(filters)} />
      <div className="filter-row">
        <Choice label="Workflow" name="workflowSlug" filters={filters} any="All workflows">
          {workflows.map((row) => [row.slug, row.name])}
        </Choice>
        <Time filters={filters} />
        <Text label="Start of an id" name="q" filters={filters} clean={(text) => text.toLowerCase().replace(/[^0-9a-f-]/g, "")} />
        <div className="filter-buttons">
          <Button isCompact look="quiet" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
            {isOpen ? "Fewer filters" : `More filters${rare ? ` (${rare})` : ""}`}
          </Button>
          {isFiltered(filters) && (
            <Button isCompact look="quiet" onClick={clearFilters}>
              Clear
            </Button>
          )}
        </div>
      </div>
      {isOpen && <Rare filters={filters} />}
    </search>
  );
}

function Statuses({ chosen }: { chosen: string[] }) {
  const toggle = (status: string): void => {
    const next = STATUSES.filter((each) => (each === status) !== chosen.includes(each));
    setParameters({ status: next.join() });
  };
  return (
    <fieldset className="status-filter">
      <legend className="hidden-visually">Status</legend>
      {STATUSES.map((status) => (
        <label key={status}>
          <input type="checkbox" checked={chosen.includes(status)} onChange={() => toggle(status)} />
          {status.replace("_", " ")}
        </label>
      ))}
    </fieldset>
  );
}

function Rare({ filters }: { filters: Filters }) {
  const keys = useResource<ApiKey[]>("/api/api-keys").data ?? [];
  const models = useResource<Model[]>("/api/models").data ?? [];
  return (
    <div className="filter-row">
      <Choice label="Source" name="source" filters={filters} any="All sources">
        {Object.entries(SOURCES)}
      </Choice>
      <Choice label="API key" name="keyId" filters={filters} any="All keys">
        {keys.map((key) => [key.id, `${key.name} (…${key.last4})`])}
      </Choice>
      <Choice label="Model" name="modelId" filters={filters} any="All models">
        {models.map((model) => [model.internalName, model.name])}
      </Choice>
      <Text label="Error code" name="errorCode" filters={filters} clean={(text) => text.trim()} />
      <Text label="Version" name="version" filters={filters} clean={(text) => text.replace(/\D|^0+/g, "").slice(0, 9)} />
    </div>
  );
}

interface FieldProps {
  label: string;
  name: FilterName;
  filters: Filters;
}

function Choice({ label, name, filters, any, children }: FieldProps & { any: string; children: [string, string][] }) {
  const value = filters[name];
  const isListed = value === "" || children.some(([each]) => each === value);
  return (
    <Labelled label={label}>
      {(id) => (
        <select
          id={id}
          className="input compact"
          value={value}
          onChange={(event) => setParameters({ [name]: event.target.value })}
        >
          <option value="">{any}</option>
          {!isListed && <option>{value}</option>}
          {children.map(([each, shown]) => (
            <option key={each} value={each}>
              {shown}
            </option>
          ))}
        </select>
      )}
    </Labelled>
  );
}

const TYPING_MS = 300;

/** A text that filters once one stops typing. */
function Text({ label, name, filters, clean }: FieldProps & { clean: (text: string) => string }) {
  const value = filters[name];
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return undefined;
    const timer = setTimeout(() => setParameters({ [name]: text }), TYPING_MS);
    return () => clearTimeout(timer);
  }, [name, text, value]);
  return (
    <Labelled label={label}>
      {(id) => (
        <input
          id={id}
          type="search"
          className="input compact"
          spellCheck={false}
          autoComplete="off"
          value={text}
          onChange={(event) => setText(clean(event.target.value))}
        />
      )}
    </Labelled>
  );
}

const HOUR_MS = 3_600_000;

function Time({ filters }: { filters: Filters }) {
  const isCustom = Boolean(filters.from || filters.to);
  const choose = (range: string): void => {
    const from = range === "custom" ? new Date(Date.now() - HOUR_MS).toISOString() : "";
    setParameters({ range: range === "custom" ? "" : range, from, to: "" });
  };
  return (
    <>
      <Labelled label="Time">
        {(id) => (
          <select
            id={id}
            className="input compact"
            value={isCustom ? "custom" : filters.range in RANGES ? filters.range : ""}
            onChange={(event) => choose(event.target.value)}
          >
            <option value="">Any time</option>
            {Object.entries(RANGES).map(([range, [name]]) => (
              <option key={range} value={range}>
                {name}
              </option>
            ))}
            <option value="custom">From … to …</option>
          </select>
        )}
      </Labelled>
      {isCustom && <Bound label="From" name="from" filters={filters} />}
      {isCustom && <Bound label="To" name="to" filters={filters} />}
    </>
  );
}

/** A time as the field of the browser has it: of its own zone, to the second. */
function local(at: string): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return "";
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

function Bound({ label, name, filters }: FieldProps) {
  return (
    <Labelled label={label}>
      {(id) => (
        <input
          id={id}
          type="datetime-local"
          step={1}
          className="input compact"
          value={local(filters[name])}
          onChange={({ target }) => setParameters({ [name]: target.value ? new Date(target.value).toISOString() : "" })}
        />
      )}
    </Labelled>
  );
}

function Labelled({ label, children }: { label: string; children: (id: string) => ReactNode }) {
  const id = useId();
  return (
    <div className="filter">
      <label htmlFor={id}>{label}</label>
      {children(id)}
    </div>
  );
}
