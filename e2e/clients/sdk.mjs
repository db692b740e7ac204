// The client of @modelcontextprotocol/sdk, the older TypeScript SDK.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { clientInfo, drive, say } from "./drive.mjs";
import { connectAs } from "./user.mjs";

const transports = {
  stdio: ({ command, args, env }) => new StdioClientTransport({ command, args, env }),
  sse: ({ url }, authProvider) => new SSEClientTransport(new URL(url), { authProvider }),
  http: ({ url }, authProvider) => new StreamableHTTPClientTransport(new URL(url), { authProvider }),
};

// offering is a transport whose client offers one revision, where this SDK
// always offers the newest it knows, and which remembers what was negotiated.
function offering(revision, transport) {
  const send = transport.send.bind(transport);
  transport.send = (message, options) => {
    if (message.method === "initialize") message.params.protocolVersion = revision;
    return send(message, options);
  };
  const negotiated = transport.setProtocolVersion?.bind(transport);
  transport.setProtocolVersion = (version) => {
    transport.negotiated = version;
    negotiated?.(version);
  };
  return transport;
}

async function dial(params, user) {
  const client = new Client(clientInfo, { enforceStrictCapabilities: true });
  client.onerror = (error) => say({ complaint: String(error) });
  const transport = offering(params.revision, transports[params.transport](params, user));
  if (user) user.transport = transport;
  await client.connect(transport);
  return {
    client,
    hello: {
      protocolVersion: transport.negotiated,
      serverInfo: client.getServerVersion(),
      capabilities: client.getServerCapabilities(),
      instructions: client.getInstructions(),
    },
  };
}

const connect = (params) => connectAs(params.user, (user) => dial(params, user));

drive({ connect, callTool: (client, params, options) => client.callTool(params, undefined, options) });
