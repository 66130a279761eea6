import { call } from "../api/client";
import { type Resource, useResource } from "../api/resource";
import type { Me } from "../api/types";

/** Whether the browser is signed in; the document says so, and visitors make no calls that would be refused. */
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
