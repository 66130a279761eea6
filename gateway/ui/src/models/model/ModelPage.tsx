import { lazy, Suspense } from "react";
import { MODELS } from "../../api/paths";
import { useResource } from "../../api/resource";
import type { ManifestSource, Model } from "../../api/types";
import { Failed, Loading } from "../../components/States";
import { Tabs } from "../../components/Tabs";
import { Link, useParameter } from "../../shell/router";
import { usePageTitle } from "../../shell/Shell";
import { useMe } from "../../shell/session";
import { missing } from "../facts";
import { Kind, State } from "../ModelBadges";
import "../models.css";
import { Overview } from "./Overview";
import { TryPanel } from "./TryPanel";
import { Versions } from "./Versions";

const ManifestEditor = lazy(() => import("../editor/ManifestEditor"));
const TABS = { overview: "Overview", try: "Try", manifest: "Manifest", versions: "Versions" } as const;
type Tab = keyof typeof TABS;

/** One model: its fields and prices; for admins its manifest, tries and versions. */
export default function ModelPage({ name }: { name: string }) {
  const me = useMe().data;
  const isAdmin = me?.user.role === "admin";
  const models = useResource<Model[]>(MODELS);
  const model = models.data?.find((each) => each.internalName === name);
  const source = useResource<ManifestSource>(isAdmin && model ? `${MODELS}/${name}/manifest` : null);
  usePageTitle(model?.name ?? name);
  if (models.error && !models.data) return <Failed error={models.error} retry={models.reload} />;
  if (!models.data || !me) return <Loading height="24rem" />;
  if (!model) return <Unknown name={name} />;
  return (
    <>
      <div className="page-head">
        <div>
          <p className="back-link">
            <Link href="/app/models">Models</Link>
          </p>
          <h1>{model.name}</h1>
          <p className="row model-facts">
            <code>{name}</code>
            <Kind category={model.category} />
            <State model={model} />
            {isAdmin && source.data && <Origin source={source.data} />}
          </p>
        </div>
      </div>
      <Parts model={model} source={source.data} isAdmin={isAdmin} />
    </>
  );
}

function Parts({ model, source, isAdmin }: { model: Model; source: ManifestSource | undefined; isAdmin: boolean }) {
  const [tab, setTab] = useParameter("tab", "overview");
  const lack = missing(model, useMe().data?.user.tier);
  const shown: Tab[] = ["overview", "try"];
  if (isAdmin) shown.push("manifest");
  if (source?.origin === "saved") shown.push("versions");
  const chosen = shown.find((each) => each === tab) ?? "overview";
  const choose = (label: string): void => setTab(shown.find((each) => TABS[each] === label) ?? "overview");
  return (
    <div className="stack">
      {lack && <p className="note warn">{lack.sentence}</p>}
      <Tabs label="Model" tabs={shown.map((each) => TABS[each])} chosen={TABS[chosen]} onChoose={choose}>
        {chosen === "overview" && <Overview model={model} />}
        {chosen === "try" && <TryPanel model={model} isAdmin={isAdmin} />}
        {chosen === "manifest" && (
          <Suspense fallback={<Loading height="30rem" />}>
            {source ? <ManifestEditor key={model.internalName} name={model.internalName} source={source} /> : <Loading height="30rem" />}
          </Suspense>
        )}
        {chosen === "versions" && source && <Versions name={model.internalName} source={source} />}
      </Tabs>
    </div>
  );
}

const ORIGINS = {
  shipped: ["Ships with Headrace", "Saving it here makes your own version, which counts before the one that ships."],
  folder: ["From the models folder", "Saving it here makes a version that counts before the file."],
  saved: ["Saved", "Saved here or over the API."],
} as const;

function Origin({ source }: { source: ManifestSource }) {
  if (source.origin === null) return null;
  const [words, more] = ORIGINS[source.origin];
  return (
    <span className="badge" title={more}>
      {words}
      {source.version !== null && `, version ${source.version}`}
    </span>
  );
}

function Unknown({ name }: { name: string }) {
  return (
    <div className="welcome">
      <h1>There is no model ‘{name}’</h1>
      <p className="muted">
        It may have been deleted. <Link href="/app/models">See all models</Link>.
      </p>
    </div>
  );
}
