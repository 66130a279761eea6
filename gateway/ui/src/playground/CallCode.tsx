import { useState } from "react";
import { CodeBlock } from "../components/CodeBlock";
import { Tabs } from "../components/Tabs";
import { Link } from "../shell/router";
import { isSignedIn, signInAddress } from "../shell/session";
import { LANGUAGES, type Language, snippet } from "./snippets";

/** A call as code, in several languages. */
export function CallCode({ url, inputs }: { url: string; inputs: Record<string, unknown> }) {
  const [language, setLanguage] = useState<Language>("curl");
  return (
    <section className="stack" aria-labelledby="code">
      <h2 id="code">Call it from your program</h2>
      <p className="muted small">
        Exactly this call. It needs a key in the environment:{" "}
        {isSignedIn ? <Link href="/app/api/keys">create one</Link> : <a href={signInAddress()}>sign in to create one</a>}.
      </p>
      <Tabs label="Language" tabs={LANGUAGES} chosen={language} onChoose={(tab) => setLanguage(tab as Language)}>
        <CodeBlock text={snippet(language, url, inputs)} label={`${language} call`} />
      </Tabs>
    </section>
  );
}
