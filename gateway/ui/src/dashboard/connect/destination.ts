/** The address of an answer: the part of a grant that its client cannot make up. */

const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];

export interface Destination {
  /** The name that tells programs apart. */
  name: string;
  words: string;
}

export function destinationOf(redirectUri: string): Destination {
  const url = new URL(redirectUri);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    return { name: url.protocol, words: "the program on this computer that opens such links" };
  }
  if (LOOPBACK.includes(url.hostname)) return { name: url.host, words: "a program on this computer" };
  return { name: url.host, words: "a site elsewhere" };
}
