import { useState } from "react";
import { MODELS } from "../api/paths";
import { useResource } from "../api/resource";
import type { Model } from "../api/types";
import { Button } from "../components/Button";
import { Empty, Failed, Loading } from "../components/States";
import { Link, setParameters, useParameter } from "../shell/router";
import { usePageTitle } from "../shell/Shell";
import { useMe } from "../shell/session";
import { CATEGORIES, type Category, missing, priceOf } from "./facts";
import { Kind, State } from "./ModelBadges";
import "../playground/form.css";
import "./models.css";
import { NewManifest } from "./NewManifest";
import { NewModel } from "./NewModel";

/** All models, with their prices and their missing parts. */
export default function Models() {
  usePageTitle("Models");
  const me = useMe().data;
  const models = useResource<Model[]>(MODELS);
  const [start] = useParameter("new", "");
  const [isAsking, setAsking] = useState(false);
  const isAdmin = me?.user.role === "admin";
  if (start && isAdmin) return <NewManifest key={start} start={start} />;
  return (
    <>
      <div className="page-head">
        <div>
          <h1>Models</h1>
          <p>Nodes of workflows call them, and so can your programs. A model is a manifest, so that another provider needs no code.</p>
        </div>
        {isAdmin && (
          <Button look="primary" onClick={() => setAsking(true)}>
            New model
          </Button>
        )}
      </div>
      {models.error && !models.data && <Failed error={models.error} retry={models.reload} />}
      {models.isLoading && !models.data && <Loading height="20rem" />}
      {models.data && <List models={models.data} />}
      {isAsking && <NewModel models={models.data ?? []} onClose={() => setAsking(false)} />}
    </>
  );
}

function List({ models }: { models: Model[] }) {
  const tier = useMe().data?.user.tier;
  const [sought] = useParameter("q", "");
  const [category] = useParameter("category", "");
  const [ready] = useParameter("ready", "");
  const shown = models
    .filter((each) => category === "" || each.category === category)
    .filter((each) => `${each.name} ${each.internalName}`.toLowerCase().includes(sought.trim().toLowerCase()))
    .filter((each) => ready === "" || !missing(each, tier))
    .sort((one, other) => Number(!!missing(one, tier)) - Number(!!missing(other, tier)));
  const open = models.filter((each) => !missing(each, tier)).length;
  return (
    <div className="stack">
      <Filters />
      <p className="muted small" role="status">
        {shown.length === models.length ? `${models.length} models, ` : `${shown.length} of ${models.length} models, `}
        {open === models.length ? "all of them ready" : `${open} ready to run`}
      </p>
      {shown.length === 0 ? (
        <Empty title="No model matches">
          <Button onClick={() => setParameters({ q: "", category: "", ready: "" })}>Show all models</Button>
        </Empty>
      ) : (
        <div className="table-frame">
          <table className="stacked model-table">
            <thead>
              <tr>
                <th scope="col">Model</th>
                <th scope="col">Makes</th>
                <th scope="col">Price</th>
                <th scope="col">State</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((model) => (
                <Row key={model.internalName} model={model} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}

function Filters() {
  const [sought, setSought] = useParameter("q", "");
  const [category, setCategory] = useParameter("category", "");
  const [ready, setReady] = useParameter("ready", "");
  return (
    <search className="row model-filters">
      <input
        type="search"
        className="input"
        aria-label="Search models"
        placeholder="Search models"
        value={sought}
        onChange={(event) => setSought(event.target.value)}
      />
      <fieldset className="pills" role="radiogroup" aria-label="Category">
        {["", ...Object.keys(CATEGORIES)].map((each) => (
          <label key={each} className="pill">
            <input type="radio" className="hidden-visually" name="category" checked={category === each} onChange={() => setCategory(each)} />
            <span>{CATEGORIES[each as Category] ?? "All"}</span>
          </label>
        ))}
      </fieldset>
      <label className="row">
        <input type="checkbox" checked={ready !== ""} onChange={(event) => setReady(event.target.checked ? "yes" : "")} />
        Ready to run
      </label>
    </search>
  );
}

function Row({ model }: { model: Model }) {
  const tier = useMe().data?.user.tier;
  const lack = missing(model, tier);
  return (
    <tr>
      <th scope="row">
        <Link href={`/app/models/${model.internalName}`}>{model.name}</Link>
        <code className="muted">{model.internalName}</code>
      </th>
      <td>
        <Kind category={model.category} />
      </td>
      <td className="small" data-label="Price">
        {priceOf(model)}
      </td>
      <td>
        <State model={model} />
        {lack && <p className="hint">{lack.sentence}</p>}
      </td>
    </tr>
  );
}
