import { type Approval, APPROVALS } from "../api/approvals";
import { useResource } from "../api/resource";
import type { Page } from "../api/types";

const MOST = 9;
const COUNTED = `${APPROVALS}?limit=${MOST + 1}`;

/** The number of approvals that wait, beside the name of their page; nothing where none does. */
export function ApprovalCount() {
  const count = useResource<Page<Approval>>(COUNTED).data?.rows.length ?? 0;
  if (count === 0) return null;
  return (
    <>
      <span className="nav-count figures">{count > MOST ? `${MOST}+` : count}</span>
      <span className="hidden-visually">wait for an answer</span>
    </>
  );
}
