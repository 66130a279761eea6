import { useEffect, useState } from "react";
import { call } from "../api/client";
import { ACCOUNTS } from "../api/paths";
import { invalidate } from "../api/resource";
import type { Account, LoginLink as Link } from "../api/types";
import { Button } from "../components/Button";
import { CodeBlock } from "../components/CodeBlock";
import { Dialog } from "../components/Dialog";
import { Loading } from "../components/States";

/** A link that signs one browser in to an account, once. */
export function LoginLink({ account, onClose }: { account: Account; onClose: () => void }) {
  const [url, setUrl] = useState("");
  const [refusal, setRefusal] = useState("");
  useEffect(() => {
    const made = call<Link>("POST", `${ACCOUNTS}/${account.id}/login-link`);
    made.then((link) => setUrl(link.url)).catch((error: Error) => setRefusal(error.message));
    void made.finally(() => invalidate("/api/admin/audit")).catch(() => {});
  }, [account.id]);
  return (
    <Dialog title={`Login link of ${account.email}`} onClose={onClose}>
      <p>It signs one browser in, once, within ten minutes. Whoever opens it acts as this account.</p>
      {refusal && (
        <p className="note bad" role="alert">
          {refusal}
        </p>
      )}
      {url && <CodeBlock text={url} isWrapped label="Login link" />}
      {!url && !refusal && <Loading height="3rem" />}
      <div className="actions">
        <Button look="primary" onClick={onClose}>
          Done
        </Button>
      </div>
    </Dialog>
  );
}
