import { call } from "../api/client";
import { type Resource, useResource } from "../api/resource";
import type { Me } from "../api/types";

/** The document tells whether the browser is signed in, so that visitors call nothing in vain. */
export const isSignedIn = document.body.dataset.session === "open";

export function useMe(): Resource<Me> {
  return useResource<Me>(isSignedIn ? "/api/me" : null);
}

export async function signOut(): Promise<void> {
  await call("POST", "/logout");
  location.assign("/");
}

/** Address that signs in and leads back here. */
export function signInAddress(): string {
  return `/login?next=${encodeURIComponent(location.pathname + location.search)}`;
}
