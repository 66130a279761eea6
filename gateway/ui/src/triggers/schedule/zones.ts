/** Time zones by their IANA names. */

/** The zone of this browser. */
export const HERE = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

/** Zones that this browser knows, UTC first. The server decides which names are right. */
export const ZONES = ["UTC", ...Intl.supportedValuesOf("timeZone").filter((zone) => zone !== "UTC")];
