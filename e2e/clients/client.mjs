// The client of @modelcontextprotocol/client, the newer TypeScript SDK.
import { Client, SSEClientTransport, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { clientInfo, drive, say } from "./drive.mjs";
import { connectAs } from "./user.mjs";

const transports = {
  stdio: ({ command, args, env }) => new StdioClientTransport({ command, args, env }),
  sse: ({ url }, authProvider) => new SSEClientTransport(new URL(url), { authProvider }),
  http: ({ url }, authProvider) => new StreamableHTTPClientTransport(new URL(url), { authProvider }),
};

// pinned are the options that make a client speak one revision only.
function pinned(revision) {
  const handshake = revision < "2026-07-28";
  return handshake ? { supportedProtocolVersions: [revision] } : { versionNegotiation: { mode: { pin: revision } } };
}

async function dial(params, user) {
  const client = new Client(clientInfo, { ...pinned(params.revision), enforceStrictCapabilities: true });
  client.onerror = (error) => say({ complaint: String(error) });
  const transport = transports[params.transport](params, user);
  if (user) user.transport = transport;
  await client.connect(transport);
  return {
    client,
    hello: {
      protocolVersion: client.getNegotiatedProtocolVersion(),
      serverInfo: client.getServerVersion(),
      capabilities: client.getServerCapabilities(),
      instructions: client.getInstructions(),
    },
  };
}

const connect = (params) => connectAs(params.user, (user) => dial(params, user));

drive({ connect, callTool: (client, params, options) => client.callTool(params, options) });
