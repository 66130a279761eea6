import { type CSSProperties, useEffect, useId, useRef, useState } from "react";
import { Button } from "../../components/Button";
import { STEPS, type TourStep } from "./steps";
import "./tour.css";

const TAKEN = "headrace-tour";
const WIDTH = 320;
const MARGIN = 12;

/** An offer to those who draw for the first time, and the tour itself; it can be left at any step. */
export function Tour() {
  const [place, setPlace] = useState<number | null>(null);
  const [isOffered, setOffered] = useState(() => localStorage.getItem(TAKEN) === null);
  const leave = (): void => {
    localStorage.setItem(TAKEN, "taken");
    setOffered(false);
    setPlace(null);
  };
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

/** A place beside the part of the page, within the window. */
function beside(step: TourStep): CSSProperties {
  const box = document.querySelector(step.at)?.getBoundingClientRect();
  if (!box || innerWidth < 2 * WIDTH) return { left: MARGIN, bottom: MARGIN };
  const isBar = box.height < 100;
  const left = isBar ? box.left : box.width > WIDTH * 1.5 ? box.left + 48 : box.right + MARGIN;
  const top = isBar ? box.bottom + MARGIN : box.top + 48;
  return { left: Math.min(left, innerWidth - WIDTH - MARGIN), top };
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
  const [style, setStyle] = useState<CSSProperties>({});
  useEffect(() => {
    const follow = (): void => setStyle(beside(step));
    const part = document.querySelector(step.at);
    follow();
    dialog.current?.show();
    part?.classList.add("toured");
    window.addEventListener("resize", follow);
    return () => {
      part?.classList.remove("toured");
      window.removeEventListener("resize", follow);
    };
  }, [step]);
  const isLast = place === STEPS.length - 1;
  return (
    <dialog
      ref={dialog}
      className="tour"
      aria-labelledby={`${id}-title`}
      style={style}
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
