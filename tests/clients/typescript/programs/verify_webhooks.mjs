// Verifies each of the webhooks on standard input; prints the event, or the name of the error, of each.
import { Headrace } from "headrace";

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const seen = [];
for (const { secret, headers, body } of JSON.parse(Buffer.concat(chunks).toString())) {
  const raw = Uint8Array.from(atob(body), (letter) => letter.charCodeAt(0));
  const given = [headers, new Headers(headers)];
  for (const each of given) {
    try {
      seen.push((await Headrace.verifyWebhook({ secret, headers: each, body: raw })).event);
    } catch (error) {
      seen.push(error.name);
    }
  }
}
console.log(JSON.stringify(seen));
