import type { Alias, Canary } from "../../api/releases";
import { Ago } from "../../components/Ago";
import { Failed, Loading } from "../../components/States";
import { Comparison } from "./Comparison";
import { Histogram } from "./Histogram";
import { Rule } from "./Rule";
import { distanceOf, type Standing } from "./standing";
import { useFigures } from "./useFigures";

const WORDS: Record<Standing, [string, string]> = {
  early: ["Too few runs to decide", ""],
  within: ["Within its rule", "good"],
  above: ["Above its rule", "bad"],
  free: ["No rule", "warn"],
};

/** A canary beside the version that it may take the place of. */
export function CanaryView({ slug, alias, canary }: { slug: string; alias: Alias; canary: Canary }) {
  const { figures, error } = useFigures(slug, alias);
  // The canary may have ended since the list was read.
  if (!figures) return error && error.code !== "NO_CANARY" ? <Failed error={error} /> : <Loading height="14rem" />;
  const [words, look] = WORDS[distanceOf(canary, figures.canary).state];
  return (
    <section className="stack" aria-label={`Canary of ${alias.name}`}>
      <p className="row">
        <span className={`badge ${look}`} role="status">
          {words}
        </span>
        <span className="muted small">
          Counted since <Ago at={figures.since} />. Runs of drafts, tests, replays and other accounts are not in it.
        </span>
      </p>
      <Comparison slug={slug} alias={alias} canary={canary} figures={figures} />
      <div className="canary-parts">
        <Histogram figures={figures} canary={canary} version={alias.version} />
        <Rule canary={canary} side={figures.canary} />
      </div>
    </section>
  );
}
