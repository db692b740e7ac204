// The least that a server of the official TypeScript SDK can be that sells what
// the product sells: one tool that passes the vendor's JSON through, in the
// shape of the vendor's own server. It speaks stdio, or Streamable HTTP where
// PEER_ADDR names a listen address; PEER_UPSTREAM and PEER_ANSWER are those of
// the Go peers. The benchmarks hold the product against it.
import { readFileSync } from 'node:fs';
import { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

const { PEER_ADDR, PEER_ANSWER, PEER_UPSTREAM } = process.env;
const atHand = PEER_ANSWER && readFileSync(PEER_ANSWER, 'utf8');

async function portrait({ kolId }) {
  const answer = atHand || (await (await fetch(`${PEER_UPSTREAM}?kolId=${encodeURIComponent(kolId)}`)).text());
  return { content: [{ type: 'text', text: answer }] };
}

function server() {
  const server = new McpServer({ name: 'typescript', version: '1.0.0' });
  server.registerTool(
    'get_kol_fans_portrait',
    { description: 'Returns the fans portrait of a Xiaohongshu KOL.', inputSchema: z.object({ kolId: z.string() }) },
    portrait,
  );
  return server;
}

if (PEER_ADDR) {
  const { createServer } = await import('node:http');
  const { createMcpHandler } = await import('@modelcontextprotocol/server');
  const { toNodeHandler } = await import('@modelcontextprotocol/node');
  const [host, port] = PEER_ADDR.split(':');
  createServer(toNodeHandler(createMcpHandler(server))).listen(Number(port), host);
} else {
  const { serveStdio } = await import('@modelcontextprotocol/server/stdio');
  serveStdio(server);
}
