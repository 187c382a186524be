import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Handlers, jsonAnswer, serveTcp, serveUnix, textAnswer } from './serve-http.js';

const handlers: Handlers = {
  '/echo': (query) => jsonAnswer(200, { name: query.get('name') }),
  '/fails': () => {
    throw new Error('inside');
  },
  '/text': () => textAnswer(200, 'yes\n'),
};

const folder = mkdtempSync(join(tmpdir(), 'weft-admin-'));
const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true });
});

function get(options: object): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(options, (response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += String(chunk);
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    sent.on('error', reject);
    sent.end();
  });
}

test('the admin socket is its owner’s alone, replaces a stale one, and answers by path', async () => {
  const socketPath = join(folder, 'admin.sock');
  const stale = await serveUnix(socketPath, handlers, () => {});
  const server = await serveUnix(socketPath, handlers, () => {});
  servers.push(stale, server);
  expect(statSync(socketPath).mode & 0o777).toBe(0o600);
  expect(JSON.parse((await get({ socketPath, path: '/echo?name=x' })).body)).toEqual({ name: 'x' });
  expect((await get({ socketPath, path: '/none' })).status).toBe(404);
  expect((await get({ socketPath, path: '/text', method: 'POST' })).status).toBe(405);
});

test('a page that fails says so without its reason, and the reason is logged', async () => {
  const lines: unknown[] = [];
  const { server, port } = await serveTcp(
    { host: '127.0.0.1', port: 0, shared: false },
    handlers,
    (_, message, details) => {
      lines.push([message, details]);
    },
  );
  servers.push(server);
  const answer = await get({ port, path: '/fails' });
  expect(answer.status).toBe(500);
  expect(answer.body).not.toContain('inside');
  expect(lines).toEqual([['the page /fails failed', { error: 'inside' }]]);
});

test('a path that is no socket is left alone', async () => {
  const path = join(folder, 'file');
  writeFileSync(path, 'precious');
  await expect(serveUnix(path, handlers, () => {})).rejects.toThrow('is no socket');
});

test('an address that is taken is named', async () => {
  const { server, port } = await serveTcp({ host: '127.0.0.1', port: 0, shared: false }, handlers, () => {});
  servers.push(server);
  await expect(
    serveTcp({ host: '127.0.0.1', port: port, shared: false }, handlers, () => {}),
  ).rejects.toThrow(`127.0.0.1:${port}`);
});
