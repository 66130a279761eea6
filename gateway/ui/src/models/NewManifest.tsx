import { lazy, Suspense, useMemo } from "react";
import { MODELS } from "../api/paths";
import { useResource } from "../api/resource";
import type { ManifestSource } from "../api/types";
import { Failed, Loading } from "../components/States";
import { Link } from "../shell/router";
import { usePageTitle } from "../shell/Shell";
import { TEMPLATES } from "./templates";

const ManifestEditor = lazy(() => import("./editor/ManifestEditor"));

/** The editor of a model that is not saved yet, beginning with a template or with `copy:` and a model's name. */
export function NewManifest({ start }: { start: string }) {
  usePageTitle("New model");
  const copied = start.startsWith("copy:") ? start.slice(5) : null;
  const source = useResource<ManifestSource>(copied && `${MODELS}/${encodeURIComponent(copied)}/manifest`);
  const template = TEMPLATES.find((each) => each.id === start) ?? TEMPLATES[0];
  const text = useMemo(() => (copied ? source.data && renamed(source.data.manifest, copied) : template?.manifest), [copied, source.data, template]);
  return (
    <>
      <div className="page-head">
        <div>
          <p className="back-link">
            <Link href="/app/models">Models</Link>
          </p>
          <h1>New model</h1>
          <p>{copied ? `A copy of ${copied}.` : template?.about} Nothing is saved before “Save”.</p>
        </div>
      </div>
      {source.error && <Failed error={source.error} retry={source.reload} />}
      <Suspense fallback={<Loading height="30rem" />}>
        {text ? <ManifestEditor name={null} source={{ origin: null, version: null, manifest: text }} /> : !source.error && <Loading height="30rem" />}
      </Suspense>
    </>
  );
}

/** A copy's manifest: its names are its own, and only manifests on disk may name another address. */
function renamed(manifest: string, name: string): string {
  return manifest
    .replace(/^(base_url_env|setup)\s*=.*\n/gm, "")
    .replace(/^internalName\s*=.*$/m, `internalName = "${name.slice(0, 59)}-copy"`)
    .replace(/^name\s*=\s*(["'])(.*)\1/m, (_, quote: string, title: string) => `name = ${quote}${title.slice(0, 90)} (copy)${quote}`);
}
