/** Links to assets of this installation, the only media that pages load by themselves. */

const LINK = /^https?:\/\/[^/?#\s]+(\/media\/[\w-]+\?[^#\s]*\bexpires=[^#\s]*)$/;

/**
 * The path on this origin at which a page loads an asset; null for an address elsewhere.
 *
 * A link has the address that the gateway knows itself by, which may not be the one of the page. Any
 * other host in it is never asked: this origin does not have what it did not sign.
 */
export function assetPath(url: string): string | null {
  return LINK.exec(url)?.[1] ?? null;
}

/** A value with ids of assets in place of their links, which expire. */
export function withAssetIds<T>(value: T): T {
  const replace = (_: string, each: unknown): unknown => (typeof each === "string" ? (idOf(each) ?? each) : each);
  return JSON.parse(JSON.stringify(value, replace)) as T;
}

/** The id of the asset that a link, or its path on this origin, leads to; null for an address elsewhere. */
export function idOf(link: string): string | null {
  const path = link.startsWith("/media/") ? link : assetPath(link);
  return /^\/media\/([\w-]+)/.exec(path ?? "")?.[1] ?? null;
}
