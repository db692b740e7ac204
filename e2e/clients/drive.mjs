// Lets a test drive the client of an SDK. Commands come on stdin and what comes
// of them goes to stdout, one JSON object to a line:
//
//   {id, method: "connect", params: {transport, revision, ...}}   first
//   {id, method, params, progress: true to hear of it}            any request of MCP
//   {cancel: id}
//   {id, method: "close"}                                         last
//
//   {id, result, validated: how often a result was held against its schema}
//   {id, error: {code, message}}     code is 0 where it is no error of JSON-RPC
//   {id, progress: {progress, total, message}}
//   {complaint}      what the SDK objects to, but goes on
//   {exit: {code, signal}}     how a server's process ended
import readline from "node:readline";

// What a package prints goes where the test looks for complaints.
console.debug = console.log = console.info = console.warn = console.error;

export const clientInfo = { name: "e2e", version: "1" };

export function say(message) {
  process.stdout.write(JSON.stringify(message) + "\n");
}

// counted is an SDK's validator that counts the results it is held against.
export function counted(validator) {
  const counting = {
    count: 0,
    getValidator(schema) {
      const validate = validator.getValidator(schema);
      return (value) => {
        counting.count++;
        return validate(value);
      };
    },
  };
  return counting;
}

// watch makes an SDK's transport to a process tell how each process ended. It
// must not be a class of its own: for another's, the newer SDK starts no second
// process to ask for the revision, as it does for its users.
export function watch(Transport) {
  const start = Transport.prototype.start;
  Transport.prototype.start = async function () {
    await start.call(this);
    this._process.once("exit", (code, signal) => say({ exit: { code, signal } }));
  };
}

// drive carries out commands. connect(params) returns the client with what the
// server said of itself; callTool(client, params, options) is the one request
// that the SDKs take differently.
export function drive({ connect, callTool, validator }) {
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
    const before = validator.count;
    try {
      const result = await carryOut(command);
      say({ id: command.id, result, validated: validator.count - before });
    } catch (error) {
      say({ id: command.id, error: { code: Number.isInteger(error.code) ? error.code : 0, message: String(error) } });
    }
  });
}
