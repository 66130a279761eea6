import type { Field, Model } from "../../api/types";
import { TYPES } from "../../editor/settings/fields/fields";
import { CallCode } from "../../playground/CallCode";
import { isMediaKind } from "../../playground/media/kinds";
import { LocalFile } from "../../playground/snippets/uploads";
import { Link } from "../../shell/router";
import { tierName, UNITS, unitsShown } from "../facts";

const figures = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });

/** A model's fields and prices, and the code of a call. */
export function Overview({ model }: { model: Model }) {
  return (
    <div className="stack overview">
      <div className="two-columns">
        <section className="stack" aria-labelledby="fields">
          <h2 id="fields">Fields</h2>
          {model.fields.length === 0 ? <p className="muted">It takes no inputs.</p> : <Fields fields={model.fields} />}
        </section>
        <section className="stack" aria-labelledby="prices">
          <h2 id="prices">Price</h2>
          <Prices model={model} />
          <p className="muted small">
            A run holds the most that it can cost, and takes what was used. {model.isDemo && "The demo provider is charged like the real one. "}
            <Link href={`/app/executions?modelId=${model.internalName}`}>Runs with this model</Link>
          </p>
          <p className="muted small">
            {model.tierRequired === "free" ? "Accounts of every tier run it." : `Accounts of the tier ${tierName(model.tierRequired)} and up run it.`}
          </p>
        </section>
      </div>
      <CallCode url={`${location.origin}/api/models/${model.internalName}/run`} inputs={sampleOf(model)} />
    </div>
  );
}

function Fields({ fields }: { fields: Field[] }) {
  return (
    <div className="table-frame">
      <table className="stacked">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Type</th>
            <th scope="col">Takes</th>
          </tr>
        </thead>
        <tbody>
          {fields.map((field) => (
            <tr key={field.name}>
              <th scope="row">
                <code>{field.name}</code>
                <span className="hint field-label">{field.label}</span>
              </th>
              <td>
                {TYPES[field.type]}
                {field.required && <span className="hint">, required</span>}
              </td>
              <td className="small">{limitsOf(field)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function limitsOf(field: Field): string {
  const { options, min, max, step, maxLength } = field;
  const words = [];
  if (options?.length) words.push(options.join(", "));
  if (min !== undefined && max !== undefined) words.push(`${min} to ${max}`);
  else if (min !== undefined) words.push(`at least ${min}`);
  else if (max !== undefined) words.push(`at most ${max}`);
  if (step !== undefined && step !== 1) words.push(`in steps of ${step}`);
  if (maxLength !== undefined) words.push(`up to ${maxLength.toLocaleString("en")} characters`);
  if (field.default !== undefined && field.default !== null) words.push(`default ${JSON.stringify(field.default)}`);
  return words.join("; ");
}

function Prices({ model }: { model: Model }) {
  if (model.pricing.length === 0) return <p className="muted">Free of charge.</p>;
  return (
    <div className="table-frame">
      <table>
        <thead>
          <tr>
            <th scope="col">For each</th>
            <th scope="col" className="end">
              USD
            </th>
            <th scope="col" className="end">
              Credits
            </th>
          </tr>
        </thead>
        <tbody>
          {model.pricing.map(({ unit, usd, credits }) => (
            <tr key={unit}>
              <th scope="row">{UNITS[unit]}</th>
              <td className="end figures">{figures.format(Number(usd) * unitsShown(unit))}</td>
              <td className="end figures">{figures.format(credits * unitsShown(unit))}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Inputs of a call: the required fields without a default. */
function sampleOf(model: Model): Record<string, unknown> {
  const needed = model.fields.filter((field) => field.required && (field.default === undefined || field.default === null));
  return Object.fromEntries(needed.map((field) => [field.name, field.options?.[0] ?? sampleValue(field)]));
}

function sampleValue(field: Field): unknown {
  if (isMediaKind(field.type)) return new LocalFile(field.type);
  if (field.type === "json") return {};
  if (field.type === "number" || field.type === "slider") return field.min ?? 1;
  return field.type === "toggle" ? true : "A blue steel kettle on a wooden table";
}
