// An authorization server: whoever knocks may register, and a user logs in by
// naming himself (login_hint) and agrees to everything. The server lets all have
// the scope SCOPE, but for the user "guest". Its access tokens are JWTs.
//
//   node authorization-server.mjs PORT SCOPE      0 takes a free port
//
// The address goes to stdout when it serves. Its keys are new at each start.
import crypto from "node:crypto";
import http from "node:http";
import Provider from "oidc-provider";

const [port, scope] = process.argv.slice(2);

async function signingKey() {
  const { privateKey } = crypto.generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), kid: crypto.randomUUID(), use: "sig", alg: "RS256" };
}

const server = http.createServer();
await new Promise((listening) => server.listen(Number(port), "127.0.0.1", listening));
const issuer = `http://127.0.0.1:${server.address().port}`;
const provider = new Provider(issuer, {
  jwks: { keys: [await signingKey()] },
  cookies: { keys: [crypto.randomUUID()] },
  findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  scopes: ["openid", "offline_access", scope],
  clientAuthMethods: ["none"],
  features: {
    devInteractions: { enabled: false },
    registration: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({ scope, accessTokenFormat: "jwt", jwt: { sign: { alg: "RS256" } } }),
    },
  },
});

// interact stands for the pages on which a user logs in and then agrees.
async function interact(req, res) {
  const { prompt, params, session } = await provider.interactionDetails(req, res);
  if (prompt.name === "login") {
    return provider.interactionFinished(req, res, { login: { accountId: params.login_hint } });
  }
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope((prompt.details.missingOIDCScope ?? []).join(" "));
  for (const [resource, scopes] of Object.entries(prompt.details.missingResourceScopes ?? {})) {
    if (session.accountId === "guest") grant.rejectResourceScope(resource, scopes.join(" "));
    else grant.addResourceScope(resource, scopes.join(" "));
  }
  return provider.interactionFinished(req, res, { consent: { grantId: await grant.save() } });
}

const serve = provider.callback();
server.on("request", (req, res) => {
  if (!req.url.startsWith("/interaction/")) return serve(req, res);
  interact(req, res).catch((error) => res.writeHead(500).end(String(error)));
});
process.stdout.write(issuer + "\n");
