import { type ReactNode, useEffect, useRef } from "react";
import { useConnection } from "../api/live";
import { Button } from "../components/Button";
import { Toasts, toast } from "../components/Toast";
import { SearchButton } from "./search/SearchButton";
import icon from "./icon.svg";
import { ApprovalCount } from "./ApprovalCount";
import { RollBacks } from "./RollBacks";
import { Link, usePath } from "./router";
import { isSignedIn, signInAddress, signOut, useMe } from "./session";

const ADMINISTRATION = ["/app/admin", "Administration"] as const;
const PAGES = [
  ["/", "Workflows"],
  ["/app/executions", "Executions"],
  ["/app/approvals", "Approvals"],
  ["/app/batches", "Batches"],
  ["/app/triggers", "Triggers"],
  ["/app/usage", "Usage"],
  ["/app/models", "Models"],
  ["/app/api/keys", "API keys"],
  ["/app/settings", "Settings"],
] as const;

export function Shell({ children }: { children: ReactNode }) {
  const path = usePath();
  const isAdmin = useMe().data?.user.role === "admin";
  const pages = isAdmin ? [...PAGES, ADMINISTRATION] : PAGES;
  const nav = useRef<HTMLElement>(null);
  // On phones the row of pages scrolls.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page, or another row of pages
  useEffect(() => {
    nav.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [path, isAdmin]);
  return (
    <>
      <header className="top">
        <div>
          <Link href="/" className="brand">
            <img src={icon} alt="" />
            Headrace
          </Link>
          <nav aria-label="Pages" ref={nav}>
            {isSignedIn &&
              pages.map(([address, name]) => (
                <Link key={address} href={address} aria-current={isCurrent(path, address) ? "page" : undefined}>
                  {name}
                  {address === "/app/approvals" && <ApprovalCount />}
                </Link>
              ))}
            <a href="/docs" aria-label="API reference">
              API
            </a>
          </nav>
          {isSignedIn && <SearchButton />}
          <div className="account">{isSignedIn ? <Account /> : <SignIn />}</div>
        </div>
      </header>
      <main>{children}</main>
      {isSignedIn && <Notice />}
      {isSignedIn && <RollBacks />}
      <Toasts />
    </>
  );
}

/** Whether a page is this one, or one below it. */
function isCurrent(path: string, address: string): boolean {
  return path === address || (address !== "/" && path.startsWith(`${address}/`));
}

function SignIn() {
  return (
    <a className="button compact primary" href={signInAddress()}>
      Sign in
    </a>
  );
}

function Account() {
  const me = useMe().data;
  return (
    <>
      {me && (
        <span className="badge figures" title={me.user.email}>
          {me.credits.balance.toLocaleString("en")} left
        </span>
      )}
      <Button
        look="quiet"
        isCompact
        onClick={() => signOut().catch((error: Error) => toast(error.message))}
      >
        Sign out
      </Button>
    </>
  );
}

/** Quiet note that the page may be out of date. */
function Notice() {
  const connection = useConnection();
  if (connection === "open") return null;
  return (
    <div className="connection" role="status">
      {connection === "lost" ? "Connection lost, trying again…" : <a href={signInAddress()}>Signed out. Sign in again</a>}
    </div>
  );
}

export function usePageTitle(title: string): void {
  document.title = title ? `${title} · Headrace` : "Headrace";
}
