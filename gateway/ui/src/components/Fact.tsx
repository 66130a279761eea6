import type { ReactNode } from "react";
import { KEYS } from "../api/paths";
import { useResource } from "../api/resource";
import type { ApiKey } from "../api/types";
import { Link } from "../shell/router";

/** A fact of a list of facts, by its name. */
export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** The words "by" and the key that made something; `revoked` stands for one that is gone. */
export function ByKey({ id, revoked = "a key that was revoked" }: { id: string; revoked?: string }) {
  const keys = useResource<ApiKey[]>(KEYS).data;
  const key = keys?.find((each) => each.id === id);
  if (!keys) return null;
  return (
    <>
      {" "}
      by <Link href="/app/api/keys">{key ? `${key.name} (…${key.last4})` : revoked}</Link>
    </>
  );
}
