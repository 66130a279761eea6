import { type HTMLAttributes, type ReactNode, useLayoutEffect, useRef } from "react";
import type { Point } from "../../document/document";

interface Props extends HTMLAttributes<HTMLDivElement> {
  at: Point;
  onClose: () => void;
  children: ReactNode;
}

const MARGIN = 8;

/** A native popover at a place in the window, moved into it where it would stick out. */
export function Floating({ at, onClose, children, ...rest }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const { x, y } = at;
  useLayoutEffect(() => {
    const shown = place.current;
    if (!shown) return;
    const former = document.activeElement;
    shown.showPopover();
    const { width, height } = shown.getBoundingClientRect();
    shown.style.left = `${Math.max(MARGIN, Math.min(x, innerWidth - width - MARGIN))}px`;
    shown.style.top = `${Math.max(MARGIN, Math.min(y, innerHeight - height - MARGIN))}px`;
    shown.querySelector<HTMLElement>("input, [role=menuitem]")?.focus();
    return () => {
      const hadFocus = shown.contains(document.activeElement) || document.activeElement === document.body;
      if (hadFocus && former instanceof HTMLElement) former.focus({ preventScroll: true });
    };
  }, [x, y]);
  return (
    <div
      ref={place}
      popover="auto"
      onToggle={(event) => {
        if ((event.nativeEvent as ToggleEvent).newState === "closed") onClose();
      }}
      {...rest}
    >
      {children}
    </div>
  );
}
