import { lazy, Suspense, useState } from "react";
import { Button } from "../../components/Button";

const ReplayDialog = lazy(() => import("./ReplayDialog"));

interface Props {
  slug: string;
  executionIds?: string[];
  query?: string;
}

/** A button that asks for a replay. */
export function ReplayButton(props: Props) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button onClick={() => setOpen(true)}>Replay…</Button>
      {isOpen && (
        <Suspense fallback={null}>
          <ReplayDialog {...props} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  );
}
