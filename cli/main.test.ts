import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const program = join(import.meta.dirname, 'main.js');
const weft = (...args: string[]) => spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' });
const commands = [
  'run',
  'node',
  'token',
  'vet',
  'check',
  'explain',
  'status',
  'workloads',
  'routes',
  'connections',
  'edges',
  'certificates',
  'stat',
  'why',
  'clean',
];

test('help lists every command, and every command has help', () => {
  const { status, stdout } = weft('--help');
  expect(status).toBe(0);
  const listed = [...stdout.matchAll(/^ {2}(\w+) /gm)].map(([, name]) => name);
  expect(listed).toEqual(commands);
  for (const name of commands) {
    expect(weft(name, '--help')).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(new RegExp(`^usage: weft ${name} `)),
    });
  }
});

test.each([
  [[], /^usage: weft COMMAND/, 'stdout'],
  [['fly'], /^weft: there is no command fly/, 'stderr'],
  [['run'], /^weft run: -f DIR is missing/, 'stderr'],
  [['status', '--all'], /^weft status: Unknown option '--all'/, 'stderr'],
  [['status', '-o', 'yaml'], /^weft status: --output yaml/, 'stderr'],
  [['why', 'shop/web'], /^weft why: an argument is missing/, 'stderr'],
  [['why', 'a', 'b', 'GET'], /^weft why: METHOD needs a PATH/, 'stderr'],
  [['stat', '--interval', '0'], /^weft stat: --interval 0/, 'stderr'],
] as const)('%j is wrong usage: exit 2 and why', (args, said, stream) => {
  const result = weft(...args);
  expect(result.status).toBe(2);
  expect(result[stream]).toMatch(said);
});

describe('over a state folder', () => {
  let state: string;
  let server: Server | undefined;

  beforeEach(() => {
    state = mkdtempSync(join(tmpdir(), 'weft-s-'));
  });

  afterEach(() => {
    server?.close();
    rmSync(state, { recursive: true, force: true });
  });

  test('where nothing runs, the socket and the likely cause are named', () => {
    expect(weft('routes', '--state', state)).toMatchObject({
      status: 1,
      stderr: `weft: nobody listens on ${state}/proxy/admin.sock: is weft running? name its folder by --state\n`,
    });
    expect(weft('status', '--state', state)).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(/^controller {2}nobody listens on .*\nproxy {7}nobody listens on /),
    });
  });

  test('answers of the proxy are shown as text and as JSON, its refusals as they are', async () => {
    mkdirSync(join(state, 'proxy'));
    const asked: string[] = [];
    const listening = createServer((request, response) => {
      asked.push(request.url ?? '');
      const refused = request.url?.includes('nobody') === true;
      response.writeHead(refused ? 400 : 200);
      const answer = { destination: { kind: 'passthrough' }, routesAsked: [], reason: 'none', backends: [] };
      response.end(JSON.stringify(refused ? { error: 'no workload is called nobody' } : answer));
    });
    server = listening;
    await new Promise<void>((resolve) => listening.listen(join(state, 'proxy/admin.sock'), resolve));
    const run = (...args: string[]): Promise<string> =>
      new Promise((resolve) => {
        const child = spawn(process.execPath, [program, ...args, '--state', state]);
        let said = '';
        const hear = (chunk: Buffer) => {
          said += chunk;
        };
        child.stdout.on('data', hear);
        child.stderr.on('data', hear);
        child.on('close', (code) => resolve(`${code} ${said}`));
      });
    expect(
      await run('why', 'shop/web', '1.2.3.4:80', 'GET', '/x?a=b', '--host', 'h', '--header', 'A=b=c'),
    ).toBe('0 destination  outside the mesh: passes by\n');
    expect(asked).toEqual([
      '/why?source=shop%2Fweb&destination=1.2.3.4%3A80&method=GET&path=%2Fx%3Fa%3Db&host=h&header.a=b%3Dc',
    ]);
    expect(await run('why', 'shop/web', '1.2.3.4:80', '-o', 'json')).toMatch(/^0 \{\n {2}"destination": \{/);
    expect(await run('why', 'nobody', '1.2.3.4:80')).toMatch(/^2 weft why: no workload is called nobody\n/);
  });
});
