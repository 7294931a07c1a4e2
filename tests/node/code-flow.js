// The code flow as npm's openid-client does it; driven line by line over stdin and stdout.
// in:  {"issuer", "client_id", "client_secret", "redirect_uri", "scope"}, then {"callback"}
// out: {"authorize"}, then {"me", "refreshed", "revoked"}
import { createInterface } from "node:readline";
import * as client from "openid-client";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const read = async () => JSON.parse((await lines.next()).value);
const write = (value) => console.log(JSON.stringify(value));

const given = await read();
const config = await client.discovery(new URL(given.issuer), given.client_id, given.client_secret, undefined, {
  algorithm: "oauth2",
  execute: [client.allowInsecureRequests],
});
const verifier = client.randomPKCECodeVerifier();
const state = client.randomState();
const parameters = {
  redirect_uri: given.redirect_uri,
  scope: given.scope,
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state,
};
write({ authorize: client.buildAuthorizationUrl(config, parameters).href });

const { callback } = await read();
const tokens = await client.authorizationCodeGrant(config, new URL(callback), {
  pkceCodeVerifier: verifier,
  expectedState: state,
});
const me = async (token) => {
  const answer = await client.fetchProtectedResource(config, token, new URL("/api/v1/me", given.issuer), "GET");
  return answer.json();
};
const before = await me(tokens.access_token);
const next = await client.refreshTokenGrant(config, tokens.refresh_token);
const after = await me(next.access_token);
await client.tokenRevocation(config, next.access_token);
let revoked = false;
try {
  await me(next.access_token);
} catch {
  revoked = true;
}
write({ me: before, refreshed: after, revoked });
process.exit(0);
