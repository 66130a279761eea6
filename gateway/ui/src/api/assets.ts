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
