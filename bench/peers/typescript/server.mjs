// The least that a server of the official TypeScript SDK can be: one tool that
// answers with the vendor's JSON, from the file that it is given. It speaks stdio
// or, where MCP_ADDR is set, Streamable HTTP.
import { readFileSync } from 'node:fs';
import { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

const text = readFileSync(process.argv[2], 'utf8');
const { MCP_ADDR } = process.env;

function server() {
  const server = new McpServer({ name: 'typescript', version: '1.0.0' });
  server.registerTool(
    'get_kol_fans_portrait',
    { description: 'Returns the fans portrait of a Xiaohongshu KOL.', inputSchema: z.object({ kolId: z.string() }) },
    async () => ({ content: [{ type: 'text', text }] }),
  );
  return server;
}

if (MCP_ADDR) {
  const { createServer } = await import('node:http');
  const { createMcpHandler } = await import('@modelcontextprotocol/server');
  const { toNodeHandler } = await import('@modelcontextprotocol/node');
  const [host, port] = MCP_ADDR.split(':');
  createServer(toNodeHandler(createMcpHandler(server))).listen(Number(port), host);
} else {
  const { serveStdio } = await import('@modelcontextprotocol/server/stdio');
  serveStdio(server);
}
