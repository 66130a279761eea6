import { lazy, type ReactNode, StrictMode, Suspense } from "react";
import { createRoot } from "react-dom/client";
import { followEvents } from "./api/live";
import { Loading } from "./components/States";
import { Home } from "./home/Home";
import { Shell } from "./shell/Shell";
import { usePath } from "./shell/router";
import { isSignedIn } from "./shell/session";
import { NotFound, Welcome } from "./shell/Welcome";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/components.css";
import "./styles/dialogs.css";
import "./styles/filters.css";
import "./styles/tables.css";
import "./styles/shell.css";

const Connect = lazy(() => import("./dashboard/connect/Connect"));
const Playground = lazy(() => import("./playground/Playground"));
const Dashboard = lazy(() => import("./dashboard/Dashboard"));
const Models = lazy(() => import("./models/Models"));
const ModelPage = lazy(() => import("./models/model/ModelPage"));
const Settings = lazy(() => import("./account/Settings"));
const Admin = lazy(() => import("./admin/Admin"));
const Executions = lazy(() => import("./executions/Executions"));
const Execution = lazy(() => import("./executions/execution/Execution"));
const Replays = lazy(() => import("./executions/replays/Replays"));
const ReplayPage = lazy(() => import("./executions/replays/ReplayPage"));
const Approvals = lazy(() => import("./approvals/Approvals"));
const Batches = lazy(() => import("./batches/Batches"));
const Batch = lazy(() => import("./batches/batch/Batch"));
const Triggers = lazy(() => import("./triggers/Triggers"));
const Trigger = lazy(() => import("./triggers/trigger/Trigger"));
const Usage = lazy(() => import("./usage/Usage"));
const Releases = lazy(() => import("./releases/Releases"));
const Editor = lazy(() => import("./editor/Editor"));

function page(path: string): ReactNode {
  const [, app, section, name, rest, further] = path.split("/");
  if (path === "/") return isSignedIn ? <Home /> : <Welcome />;
  if (app === "app" && name && rest === undefined) {
    if (section === "playground") return <Playground key={name} slug={name} />;
    if (section === "editor") return <Editor key={name} slug={name} />;
    if (section === "executions" && isSignedIn) return <Execution key={name} id={name} />;
    if (section === "batches" && isSignedIn) return <Batch key={name} id={name} />;
    if (section === "replays" && isSignedIn) return <ReplayPage key={name} id={name} />;
    if (section === "triggers" && isSignedIn) return <Trigger key={name} id={name} />;
    if (section === "models" && isSignedIn) return <ModelPage key={name} name={name} />;
    if (section === "connect" && isSignedIn) return <Connect key={name} token={name} />;
    if (section === "api" && name === "keys") return <Dashboard />;
  }
  const isReleases = app === "app" && section === "workflows" && rest === "releases" && further === undefined;
  if (isReleases && name && isSignedIn) return <Releases key={name} slug={name} />;
  if (path === "/app/executions" && isSignedIn) return <Executions />;
  if (path === "/app/approvals" && isSignedIn) return <Approvals />;
  if (path === "/app/batches" && isSignedIn) return <Batches />;
  if (path === "/app/replays" && isSignedIn) return <Replays />;
  if (path === "/app/triggers" && isSignedIn) return <Triggers />;
  if (path === "/app/usage" && isSignedIn) return <Usage />;
  if (path === "/app/models" && isSignedIn) return <Models />;
  if (path === "/app/settings" && isSignedIn) return <Settings />;
  if (path === "/app/admin" && isSignedIn) return <Admin />;
  return <NotFound />;
}

function App() {
  return (
    <Shell>
      <Suspense fallback={<Loading height="20rem" />}>{page(usePath())}</Suspense>
    </Shell>
  );
}

if (isSignedIn) followEvents();
createRoot(document.getElementById("root") as HTMLElement).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
