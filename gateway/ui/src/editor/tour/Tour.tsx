import { type RefObject, useEffect, useId, useRef, useState } from "react";
import { Button } from "../../components/Button";
import { useDocument } from "../document/store";
import { STEPS, type TourStep } from "./steps";
import "./tour.css";

const TAKEN = "headrace-tour";
const MARGIN = 12;

/** An offer to those who draw for the first time, and the tour itself, at the top of the canvas; drawing ends both. */
export function Tour() {
  const [place, setPlace] = useState<number | null>(null);
  const [isOffered, setOffered] = useState(() => localStorage.getItem(TAKEN) === null);
  const leave = (): void => {
    localStorage.setItem(TAKEN, "taken");
    setOffered(false);
    setPlace(null);
  };
  const drawn = useDocument().nodes;
  const [atFirst] = useState(drawn);
  useEffect(() => {
    if (drawn !== atFirst) leave();
  }, [drawn, atFirst]);
  const step = place === null ? undefined : STEPS[place];
  if (step && place !== null) return <Step key={place} step={step} place={place} onGo={setPlace} onLeave={leave} />;
  if (!isOffered) return null;
  return (
    <section className="tour-offer" aria-label="Tour">
      <p>First time here?</p>
      <Button isCompact onClick={() => setPlace(0)}>
        Take the tour
      </Button>
      <Button look="quiet" isCompact onClick={leave}>
        No, thanks
      </Button>
    </section>
  );
}

/** Keep a dialog at the top of the canvas, below the part of the page where that is possible. */
function useBeside(dialog: RefObject<HTMLDialogElement | null>, { at }: TourStep): void {
  useEffect(() => {
    const [shown, canvas] = [dialog.current, dialog.current?.closest(".canvas")];
    if (!shown || !canvas) return;
    const follow = (): void => {
      const [part, outer] = [document.querySelector(at)?.getBoundingClientRect(), canvas.getBoundingClientRect()];
      const most = outer.width - shown.offsetWidth - MARGIN;
      shown.style.left = `${Math.max(MARGIN, Math.min((part?.left ?? 0) - outer.left, most))}px`;
    };
    shown.show();
    follow();
    const observer = new ResizeObserver(follow);
    observer.observe(canvas);
    return () => observer.disconnect();
  }, [dialog, at]);
}

interface StepProps {
  step: TourStep;
  place: number;
  onGo: (place: number) => void;
  onLeave: () => void;
}

function Step({ step, place, onGo, onLeave }: StepProps) {
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  useBeside(dialog, step);
  useEffect(() => {
    const part = document.querySelector(step.at);
    part?.classList.add("toured");
    return () => part?.classList.remove("toured");
  }, [step]);
  const isLast = place === STEPS.length - 1;
  return (
    <dialog
      ref={dialog}
      className="tour"
      aria-labelledby={`${id}-title`}
      onKeyDown={(event) => event.key === "Escape" && onLeave()}
    >
      <p className="hint">
        Step {place + 1} of {STEPS.length}
      </p>
      <h2 id={`${id}-title`}>{step.title}</h2>
      <p>{step.text}</p>
      <div className="row spread">
        <Button look="quiet" isCompact onClick={onLeave}>
          Leave the tour
        </Button>
        <div className="row">
          {place > 0 && (
            <Button isCompact onClick={() => onGo(place - 1)}>
              Back
            </Button>
          )}
          <Button look="primary" isCompact autoFocus onClick={() => (isLast ? onLeave() : onGo(place + 1))}>
            {isLast ? "Start drawing" : "Next"}
          </Button>
        </div>
      </div>
    </dialog>
  );
}
