/** Addresses of the pages: the browser's history, without reloading the document. */

import { type AnchorHTMLAttributes, useSyncExternalStore } from "react";

const watchers = new Set<() => void>();

function notify(): void {
  for (const each of watchers) each();
}

window.addEventListener("popstate", notify);

export function navigate(to: string, replace = false, isNewPage = !replace): void {
  history[replace ? "replaceState" : "pushState"](null, "", to);
  if (isNewPage) window.scrollTo(0, 0);
  notify();
}

function subscribe(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

export function usePath(): string {
  return useSyncExternalStore(subscribe, () => location.pathname);
}

/** The query of the address, with its question mark. */
export function useSearch(): string {
  return useSyncExternalStore(subscribe, () => location.search);
}

/** Change parameters of the address and keep the page; empty ones are left out. A step can be taken back. */
export function setParameters(changes: Record<string, string>, isStep = false): void {
  const parameters = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === "") parameters.delete(name);
    else parameters.set(name, value);
  }
  const query = parameters.toString();
  navigate(location.pathname + (query && `?${query}`), !isStep, false);
}

/** A parameter of the address, and a setter that keeps the page. */
export function useParameter(name: string, none: string): [string, (value: string) => void] {
  const value = new URLSearchParams(useSearch()).get(name) ?? none;
  return [value, (to) => setParameters({ [name]: to === none ? "" : to })];
}

export function Link({ href, onClick, ...rest }: AnchorHTMLAttributes<HTMLAnchorElement> & { href: string }) {
  return (
    <a
      href={href}
      onClick={(event) => {
        onClick?.(event);
        const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey;
        if (!isPlain || event.defaultPrevented) return;
        event.preventDefault();
        navigate(href);
      }}
      {...rest}
    />
  );
}
