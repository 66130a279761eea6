import { Drawing } from "../home/Drawing";
import { Link } from "./router";
import { usePageTitle } from "./Shell";
import { signInAddress } from "./session";

function node(id: string, type: string, x: number, y: number) {
  return { id, type, position: { x, y }, data: {} };
}

function edge(source: string, target: string) {
  return { id: `${source}-${target}`, source, target, sourceHandle: "", targetHandle: "" };
}

const SAMPLE = {
  nodes: [
    node("form", "requestInput", 0, 140),
    node("words", "assistant", 260, 40),
    node("mood", "textBox", 260, 240),
    node("picture", "imageGenerator", 520, 40),
    node("sound", "musicGenerator", 520, 240),
    node("result", "responseOutput", 780, 140),
  ],
  edges: [
    edge("form", "words"),
    edge("form", "mood"),
    edge("words", "picture"),
    edge("mood", "sound"),
    edge("picture", "result"),
    edge("sound", "result"),
  ],
};

/** The first page for visitors. */
export function Welcome() {
  usePageTitle("");
  return (
    <div className="welcome with-picture">
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
      <div className="graph">
        <Drawing graph={SAMPLE} />
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
