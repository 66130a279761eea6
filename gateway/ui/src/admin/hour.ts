/** The last hour of the installation: samples of ten seconds, and places of charts made of them. */

import { useEffect, useState } from "react";
import { ApiError, get } from "../api/client";
import type { InstallationSample, InstallationSeries } from "../api/types";

const RENEW_MS = 10_000;
const HOUR_MS = 3_600_000;
/** Length of time of one place of a chart. */
export const PLACE_MS = 30_000;

export interface LastHour {
  data?: InstallationSeries;
  error?: ApiError;
  reload: () => void;
}

/** The last hour, of which the newest samples are read every ten seconds while the page is in view. */
export function useLastHour(): LastHour {
  const [data, setData] = useState<InstallationSeries>();
  const [error, setError] = useState<ApiError>();
  const [turn, setTurn] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a turn reads once
  useEffect(() => {
    let isCurrent = true;
    const last = data?.samples.at(-1)?.at;
    get<InstallationSeries>(`/api/admin/installation/series${last ? `?after=${encodeURIComponent(last)}` : ""}`).then(
      (found) => isCurrent && (setData((before) => joined(before, found)), setError(undefined)),
      (thrown: unknown) => isCurrent && setError(thrown instanceof ApiError ? thrown : new ApiError(0, { error: String(thrown) })),
    );
    return () => {
      isCurrent = false;
    };
  }, [turn]);
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === "visible" && setTurn((before) => before + 1), RENEW_MS);
    return () => clearInterval(timer);
  }, []);
  return { data, error, reload: () => setTurn((before) => before + 1) };
}

/** The samples of an answer after those that were there. */
function joined(before: InstallationSeries | undefined, found: InstallationSeries): InstallationSeries {
  const since = Date.parse(found.at) - HOUR_MS;
  const last = before?.samples.at(-1)?.at ?? "";
  const kept = before?.samples.filter(({ at }) => Date.parse(at) > since) ?? [];
  return { ...found, samples: [...kept, ...found.samples.filter(({ at }) => at > last)] };
}

/** Begins of the places of an hour that ends now. */
export function placesOf(at: string): number[] {
  const end = Date.parse(at);
  const places: number[] = [];
  for (let place = Math.floor((end - HOUR_MS) / PLACE_MS) * PLACE_MS; place < end; place += PLACE_MS) places.push(place);
  return places;
}

/** The samples of each place; a sample belongs to the time before its end. */
export function byPlace(samples: InstallationSample[], places: number[], length = PLACE_MS): InstallationSample[][] {
  const first = places[0] ?? 0;
  const found: InstallationSample[][] = places.map(() => []);
  for (const sample of samples) found[Math.floor((Date.parse(sample.at) - 1 - first) / length)]?.push(sample);
  return found;
}

/** Events per second of a count. */
export function rate(samples: InstallationSample[], count: (sample: InstallationSample) => number): number | null {
  const seconds = samples.reduce((sum, sample) => sum + sample.seconds, 0);
  return seconds === 0 ? null : samples.reduce((sum, sample) => sum + count(sample), 0) / seconds;
}

/** The highest of the values; null where there is none. */
export function highest(samples: InstallationSample[], value: (sample: InstallationSample) => number | null): number | null {
  const values = samples.map(value).filter((each) => each !== null);
  return values.length === 0 ? null : Math.max(...values);
}
