// A user who logs in where a client sends him, and agrees. It is what the SDKs
// call an OAuthClientProvider; all the rest of OAuth is theirs.
const redirectUrl = "http://127.0.0.1/callback";

export class User {
  redirectUrl = redirectUrl;
  clientMetadata = { client_name: "e2e", redirect_uris: [redirectUrl], token_endpoint_auth_method: "none" };

  constructor(name) {
    this.name = name;
    this.client = this.granted = this.verifier = this.answer = undefined;
  }

  clientInformation = () => this.client;
  saveClientInformation = (client) => void (this.client = client);
  tokens = () => this.granted;
  saveTokens = (tokens) => void (this.granted = tokens);
  codeVerifier = () => this.verifier;
  saveCodeVerifier = (verifier) => void (this.verifier = verifier);

  // redirectToAuthorization goes where a browser would, until it is sent back to
  // the client. What it is sent back with is kept in answer. Once logged in, a
  // user has no more to give.
  async redirectToAuthorization(url) {
    if (this.granted) throw new Error(`asked once more for ${url.searchParams.get("scope")}`);
    const cookies = new Map();
    url.searchParams.set("login_hint", this.name);
    for (let hops = 0; !url.href.startsWith(redirectUrl); hops++) {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
      const response = await fetch(url, { redirect: "manual", headers: { cookie } });
      for (const set of response.headers.getSetCookie()) {
        const [name, value] = set.split(";", 1)[0].split("=");
        cookies.set(name, value);
      }
      const location = response.headers.get("location");
      if (!location || hops > 20) throw new Error(`${url} does not lead on: ${response.status} ${await response.text()}`);
      url = new URL(location, url);
    }
    this.answer = url.searchParams;
  }
}

// connectAs connects as the user of that name, if any. dial(user) returns the
// client; before it connects, it keeps its transport in user.transport.
export async function connectAs(name, dial) {
  if (!name) return dial();
  const user = new User(name);
  try {
    return await dial(user);
  } catch (error) {
    if (!user.answer) throw error;
  }
  await user.transport.finishAuth(user.answer.get("code"), user.answer.get("iss"));
  return dial(user);
}
