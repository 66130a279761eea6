import { Link } from "../shell/router";
import { isSignedIn, signInAddress } from "../shell/session";
import { Snippets } from "./snippets/Snippets";
import { LocalFile } from "./snippets/uploads";

/** A call as code, in several languages. */
export function CallCode({ url, inputs }: { url: string; inputs: Record<string, unknown> }) {
  const hasFiles = Object.values(inputs).some((each) => each instanceof LocalFile);
  return (
    <section className="stack" aria-labelledby="code">
      <h2 id="code">Call it from your program</h2>
      <p className="muted small">
        {hasFiles ? "A run with these inputs, and files that it uploads first." : "A run with exactly these inputs."} It needs a key in the environment:{" "}
        {isSignedIn ? <Link href="/app/api/keys">create one</Link> : <a href={signInAddress()}>sign in to create one</a>}.
      </p>
      <Snippets url={url} inputs={inputs} />
    </section>
  );
}
