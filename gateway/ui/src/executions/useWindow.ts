/** The part of a long list that is in view. */

import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from "react";

/** Rows that are drawn above and below the view, and the step in which the part moves. */
const BEYOND = 16;
const STEP = 8;

/** First and last row to draw, of rows of one height that scroll with the window. */
export function useWindow(list: RefObject<HTMLElement | null>, count: number, height: number): [number, number] {
  const [start, setStart] = useState(0);
  const shown = Math.ceil(innerHeight / height) + 2 * BEYOND + STEP;
  useEffect(() => {
    let frame = 0;
    const place = (): void => {
      frame = 0;
      const top = list.current?.getBoundingClientRect().top ?? 0;
      const first = Math.max(0, Math.floor(-top / height) - BEYOND);
      setStart(first - (first % STEP));
    };
    const follow = (): void => {
      frame ||= requestAnimationFrame(place);
    };
    place();
    addEventListener("scroll", follow, { passive: true });
    addEventListener("resize", follow);
    return () => {
      cancelAnimationFrame(frame);
      removeEventListener("scroll", follow);
      removeEventListener("resize", follow);
    };
  }, [list, height]);
  const first = Math.min(start, Math.max(0, count - shown));
  return [first, Math.min(count, first + shown)];
}

/** Keep the rows in view where they are while rows come in above them. */
export function useAnchor(list: RefObject<HTMLElement | null>, ids: string[], height: number): void {
  const before = useRef<string | undefined>(undefined);
  useLayoutEffect(() => {
    const added = before.current === undefined ? 0 : ids.indexOf(before.current);
    before.current = ids[0];
    const isAbove = (list.current?.getBoundingClientRect().top ?? 0) < 0;
    if (added > 0 && isAbove) scrollBy(0, added * height);
  }, [list, ids, height]);
}
