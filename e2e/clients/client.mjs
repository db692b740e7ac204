// The client of @modelcontextprotocol/client, the newer TypeScript SDK.
import { Client, SSEClientTransport, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { AjvJsonSchemaValidator } from "@modelcontextprotocol/client/validators/ajv";
import { clientInfo, counted, drive, say, watch } from "./drive.mjs";

watch(StdioClientTransport);
const validator = counted(new AjvJsonSchemaValidator());

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
  const client = new Client(clientInfo, { ...pinned(params.revision), jsonSchemaValidator: validator, enforceStrictCapabilities: true });
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

drive({ connect, validator, callTool: (client, params, options) => client.callTool(params, options) });
