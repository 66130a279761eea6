/** Paths of the lists that several pages read and change. */

export const ACCOUNTS = "/api/admin/accounts";
export const KEYS = "/api/api-keys";
export const MODELS = "/api/models";
export const SECRETS = "/api/secrets";
export const WORKFLOWS = "/api/workflows";
