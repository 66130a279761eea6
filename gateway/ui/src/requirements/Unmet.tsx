import { useMe } from "../shell/session";
import type { Need } from "./requirements";

/** A word for needs that are not met, for badges. */
export function wordFor(needs: readonly Need[]): string {
  return needs.some((need) => need.model) ? "Needs a model" : "Not set up here";
}

/** Sentences on the needs that are not met, with remedies. */
export function Unmet({ needs }: { needs: readonly Need[] }) {
  const isAdmin = useMe().data?.user.role === "admin";
  const reasons = new Set(needs.map((need) => need.reason));
  return (
    <>
      Uses {inList(needs.map((need) => `“${need.name}”`))}.{" "}
      {[...reasons].map((reason) => (
        <span key={reason}>
          <WithCode text={sentence(reason ?? "")} />{" "}
        </span>
      ))}
      {isAdmin && needs.some((need) => need.model) && (
        <>
          With <code>make run DEMO=1</code>, answers are made up.
        </>
      )}
    </>
  );
}

const list = new Intl.ListFormat("en");

function inList(names: string[]): string {
  return list.format(names);
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** A text whose parts between backticks are code. */
function WithCode({ text }: { text: string }) {
  return text.split("`").map((part, place) => (place % 2 === 1 ? <code key={place}>{part}</code> : part));
}
