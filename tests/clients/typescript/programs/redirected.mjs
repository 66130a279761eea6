// Calls a server that redirects; prints the error.
import { Headrace } from "headrace";

try {
  await new Headrace({ baseUrl: process.argv[2], apiKey: "hr_live_secret" }).whoami();
} catch ({ status, message }) {
  console.log(JSON.stringify({ status, message }));
}
