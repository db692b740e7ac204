// Lets a test drive the client of an SDK. Commands come on stdin and what comes
// of them goes to stdout, one JSON object to a line:
//
//   {id, method: "connect", params: {transport, revision, user, ...}}   first
//   {id, method, params, progress: true to hear of it}            any request of MCP
//   {cancel: id}
//   {id, method: "close"}                                         last
//
//   {id, result}
//   {id, error: {code, message}}     code is 0 where it is no error of JSON-RPC
//   {id, progress: {progress, total, message}}
//   {complaint}      what the SDK objects to, but goes on
import readline from "node:readline";

// What a package prints goes where the test looks for complaints.
console.debug = console.log = console.info = console.warn = console.error;

export const clientInfo = { name: "e2e", version: "1" };

export function say(message) {
  process.stdout.write(JSON.stringify(message) + "\n");
}

// drive carries out commands. connect(params) returns the client with what the
// server said of itself; callTool(client, params, options) is the one request
// that the SDKs take differently.
export function drive({ connect, callTool }) {
  const requests = {
    "tools/list": (params, options) => client.listTools(params, options),
    "tools/call": (params, options) => callTool(client, params, options),
    "resources/list": (params, options) => client.listResources(params, options),
    "resources/templates/list": (params, options) => client.listResourceTemplates(params, options),
    "resources/read": (params, options) => client.readResource(params, options),
    "prompts/list": (params, options) => client.listPrompts(params, options),
    "prompts/get": (params, options) => client.getPrompt(params, options),
    "completion/complete": (params, options) => client.complete(params, options),
    ping: (_, options) => client.ping(options),
  };
  const underWay = new Map();
  let client;

  async function carryOut({ id, method, params, progress }) {
    if (method === "connect") {
      const connected = await connect(params);
      client = connected.client;
      return connected.hello;
    }
    if (method === "close") {
      await client.close();
      return {};
    }
    const cancelling = new AbortController();
    underWay.set(id, cancelling);
    return requests[method](params, {
      signal: cancelling.signal,
      ...(progress && { onprogress: (progress) => say({ id, progress }) }),
    });
  }

  readline.createInterface({ input: process.stdin }).on("line", async (line) => {
    const command = JSON.parse(line);
    if (command.cancel !== undefined) {
      underWay.get(command.cancel).abort("the test cancels");
      return;
    }
    try {
      say({ id: command.id, result: await carryOut(command) });
    } catch (error) {
      say({ id: command.id, error: { code: Number.isInteger(error.code) ? error.code : 0, message: String(error) } });
    }
  });
}
