import { lazy, Suspense, useEffect, useState } from "react";

const SearchDialog = lazy(() => import("./SearchDialog"));
const TYPED = "input, textarea, select, [contenteditable]:not([contenteditable=false])";

/** `/` outside of fields and of the editor, or Ctrl+K anywhere. */
function asksForSearch(event: KeyboardEvent): boolean {
  if (event.defaultPrevented) return false;
  if (event.key === "k" && (event.ctrlKey || event.metaKey)) return true;
  const isTyping = event.target instanceof Element && event.target.matches(TYPED);
  const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
  return event.key === "/" && isPlain && !isTyping && !location.pathname.startsWith("/app/editor/");
}

/** The search of every page. */
export function SearchButton() {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    const openByKey = (event: KeyboardEvent): void => {
      if (document.querySelector("dialog[open]") || !asksForSearch(event)) return;
      event.preventDefault();
      setOpen(true);
    };
    addEventListener("keydown", openByKey);
    return () => removeEventListener("keydown", openByKey);
  }, []);
  return (
    <>
      <button type="button" className="search-button" title="Search (/)" aria-keyshortcuts="/ Control+K" onClick={() => setOpen(true)}>
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="M11 11l3.5 3.5M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10Z" />
        </svg>
        <span className="hidden-visually">Search</span>
      </button>
      {isOpen && (
        <Suspense fallback={null}>
          <SearchDialog onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  );
}
