import { Link } from "./router";
import { usePageTitle } from "./Shell";
import { signInAddress } from "./session";

/** The first page for visitors. */
export function Welcome() {
  usePageTitle("");
  return (
    <div className="welcome">
      <h1>AI workflows, each with an address of its own</h1>
      <p className="muted">
        Build a workflow once, try it in the playground, then call it from anywhere with a key.
        Headrace runs it, counts what it costs and tells your webhook when it is done.
      </p>
      <div className="row">
        <a className="button primary" href={signInAddress()}>
          Sign in
        </a>
        <a className="button" href="/docs">
          Read the API reference
        </a>
      </div>
    </div>
  );
}

export function NotFound() {
  usePageTitle("Not found");
  return (
    <div className="welcome">
      <h1>There is no such page</h1>
      <p className="muted">
        It may have been renamed. <Link href="/">Go to the first page</Link>.
      </p>
    </div>
  );
}
