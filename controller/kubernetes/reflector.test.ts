import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { ApiClient, maxLineBytes } from './api-client.js';
import { Reflector } from './reflector.js';
import type { ResourceType } from './resource-type.js';

/**
 * What a real API server cannot be made to do at will: an event that is no event, silence, a line without end.
 * Everything else is proved on a real one (test/kubernetes).
 */

const type: ResourceType = {
  group: '',
  version: 'v1',
  plural: 'things',
  kind: 'Thing',
  namespaced: true,
  optional: false,
};

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

let server: Server;
let client: ApiClient;
let reflector: Reflector | undefined;
let running: Promise<void>;
let requests: string[];
/** Answers in turn; the last one stays. */
let lists: Answer[];
let watches: Answer[];
let troubles: string[];
let told: string[];
let check: () => void;

beforeEach(async () => {
  [requests, lists, watches, troubles, told] = [[], [], [], [], []];
  check = () => {};
  server = createServer((request, response) => {
    const kind = request.url?.includes('watch=true') ? 'watch' : 'list';
    requests.push(kind);
    const answers = kind === 'watch' ? watches : lists;
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    answer?.(response, request);
    check();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const config = new KubeConfig();
  const { port } = server.address() as AddressInfo;
  config.loadFromClusterAndUser(
    { name: 'fake', server: `http://127.0.0.1:${port}`, skipTLSVerify: true },
    { name: 'nobody' },
  );
  client = new ApiClient(config);
});

afterEach(async () => {
  reflector?.stop();
  await running;
  client.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function start(silenceMs = 5000): void {
  reflector = new Reflector({
    client,
    type,
    // Delays of a millisecond.
    random: () => 0,
    onChange: (deltas) => {
      told.push(...deltas.map((delta) => `${delta.type} ${delta.key}`));
      check();
    },
    onTrouble: (message) => {
      troubles.push(message);
      check();
    },
    limits: { pageSize: 2, listSilenceMs: silenceMs, watchSilenceMs: silenceMs, watchSeconds: 60 },
  });
  running = reflector.run();
}

function waitFor(what: string, condition: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const seen = () => JSON.stringify({ requests: requests.slice(-10), told, troubles });
    const timer = setTimeout(() => reject(new Error(`no ${what}: ${seen()}`)), 4000);
    check = () => {
      if (!condition()) return;
      clearTimeout(timer);
      resolve();
    };
    check();
  });
}

const thing = (name: string, version: number) => ({
  metadata: { namespace: 'n', name, uid: `u-${name}`, resourceVersion: `${version}` },
});
const listOf =
  (...names: string[]): Answer =>
  (response) =>
    response.end(
      JSON.stringify({ metadata: { resourceVersion: '5' }, items: names.map((name) => thing(name, 1)) }),
    );
/** Sends lines and stays open. */
const lines =
  (...texts: string[]): Answer =>
  (response) => {
    for (const text of texts) response.write(`${text}\n`);
  };
const event = (kind: string, name: string, version: number) =>
  JSON.stringify({ type: kind, object: thing(name, version) });

test.each([
  ['no JSON', '{"type":"MODI'],
  ['no event', '[]'],
  ['an event of an unknown type', '{"type":"EXPLODED","object":{}}'],
  ['an object without a name', '{"type":"ADDED","object":{"metadata":{"uid":"u","resourceVersion":"7"}}}'],
  ['a bookmark without a version', '{"type":"BOOKMARK","object":{"metadata":{}}}'],
])('%s in a watch loses nothing: told, read again, in the end listed anew', async (_what, line) => {
  lists = [listOf('a'), listOf('a', 'b')];
  watches = [lines(line), lines(line), lines(line), lines(event('ADDED', 'c', 6))];
  start();
  await waitFor('object behind the bad event', () => told.includes('put n/c'));
  expect(told).toEqual(['put n/a', 'put n/b', 'put n/c']);
  expect(requests.slice(0, 6)).toEqual(['list', 'watch', 'watch', 'watch', 'list', 'watch']);
  expect(troubles).toEqual([
    expect.stringContaining('/api/v1/things cannot be watched: event cannot be read'),
  ]);
});

test('an object of a list that cannot be read does not keep the others away', async () => {
  lists = [
    (response) => {
      const items = [thing('a', 1), null, { metadata: {} }, thing('b', 1)];
      response.end(JSON.stringify({ metadata: { resourceVersion: '5' }, items }));
    },
  ];
  watches = [lines()];
  start();
  await waitFor('objects', () => told.length === 2);
  expect(told).toEqual(['put n/a', 'put n/b']);
});

test('an answer that is no list is told and asked for again', async () => {
  lists = [(response) => response.end('<html>'), listOf('a')];
  watches = [lines()];
  start();
  await waitFor('object', () => told.length === 1);
  expect(troubles).toEqual(['/api/v1/things cannot be listed: the answer is no list']);
});

test('a watch that has fallen silent is given up and resumed', async () => {
  lists = [listOf('a')];
  watches = [lines(), lines(event('ADDED', 'b', 6))];
  start(150);
  await waitFor('object', () => told.includes('put n/b'));
  expect(requests.filter((request) => request === 'list')).toHaveLength(1);
});

test('a list that stops half-way is given up and asked for again', async () => {
  lists = [(response) => response.write('{"metadata":{"resourceVersion":"5"},"items":['), listOf('a')];
  watches = [lines()];
  start(150);
  await waitFor('object', () => told.length === 1);
  expect(troubles[0]).toMatch(/cannot be listed/);
});

test('a line without end takes bounded memory', async () => {
  lists = [listOf('a')];
  let sent = 0;
  const flood: Answer = (response) => {
    const chunk = Buffer.alloc(1024 * 1024, 120);
    const more = () => {
      while (!response.destroyed && response.write(chunk)) sent += 1;
      response.once('drain', more);
    };
    more();
  };
  watches = [flood, lines(event('ADDED', 'b', 6))];
  start();
  await waitFor('object', () => told.includes('put n/b'));
  expect(sent).toBeLessThan((4 * maxLineBytes) / (1024 * 1024));
});

test('a refusal by RBAC names the right that is missing, once', async () => {
  const refuse: Answer = (response) => {
    response.statusCode = 403;
    response.end(JSON.stringify({ kind: 'Status', message: 'things is forbidden' }));
  };
  lists = [refuse];
  start();
  await waitFor('third request', () => requests.length >= 3);
  expect(troubles).toEqual([
    '/api/v1/things is refused with 403: things is forbidden; fix: let the controller list and watch things of group "" (RBAC)',
  ]);
});

test('pages are asked for in turn with the token of the one before', async () => {
  const urls: string[] = [];
  lists = [
    (response, request) => {
      urls.push(request.url ?? '');
      const items = [thing(`a${urls.length}`, 1)];
      const next = urls.length < 3 ? { continue: `t${urls.length}` } : {};
      response.end(JSON.stringify({ metadata: { resourceVersion: '5', ...next }, items }));
    },
  ];
  watches = [lines()];
  start();
  await waitFor('objects', () => told.length > 0);
  expect(told).toEqual(['put n/a1', 'put n/a2', 'put n/a3']);
  expect(urls).toEqual([
    '/api/v1/things?limit=2',
    '/api/v1/things?limit=2&continue=t1',
    '/api/v1/things?limit=2&continue=t2',
  ]);
});
