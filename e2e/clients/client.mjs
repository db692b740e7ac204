// The client of @modelcontextprotocol/client, the newer TypeScript SDK.
import { Client, SSEClientTransport, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { clientInfo, drive, say } from "./drive.mjs";

const transports = {
  stdio: ({ command, args, env }) => new StdioClientTransport({ command, args, env }),
  sse: ({ url }) => new SSEClientTransport(new URL(url)),
  http: ({ url }) => new StreamableHTTPClientTransport(new URL(url)),
};

// pinned are the options that make a client speak one revision only.
function pinned(revision) {
  const handshake = revision < "2026-07-28";
  return handshake ? { supportedProtocolVersions: [revision] } : { versionNegotiation: { mode: { pin: revision } } };
}

async function connect(params) {
  const client = new Client(clientInfo, { ...pinned(params.revision), enforceStrictCapabilities: true });
  client.onerror = (error) => say({ complaint: String(error) });
  await client.connect(transports[params.transport](params));
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

drive({ connect, callTool: (client, params, options) => client.callTool(params, options) });
