import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { routeYaml, serviceYaml } from './test-fixture.js';

const program = join(import.meta.dirname, 'main.js');
let folder: string;
let child: ChildProcess | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weft-p-'));
});

afterEach(() => {
  child?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** Starts the controller's program and resolves with the first line that it prints. */
function start(...more: string[]): Promise<string> {
  const listen = `unix:${join(folder, 'agents.sock')}`;
  const args = [program, '--folder', folder, '--listen', listen, '--trust-domain', 'a.b', ...more];
  const started = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  child = started;
  return new Promise((resolve, reject) => {
    let said = '';
    started.stderr.on('data', (chunk: Buffer) => {
      said += chunk;
    });
    started.stdout.once('data', (chunk: Buffer) => resolve(String(chunk)));
    started.once('exit', (code) => reject(new Error(`exit ${code}: ${said}`)));
  });
}

function get(
  options: { socketPath: string; path: string } | { port: number; path: string },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ ...options, agent: false }, (response) => {
      let body = `${response.statusCode} `;
      response.on('data', (chunk: Buffer) => {
        body += chunk;
      });
      response.on('end', () => resolve(body));
    });
    asked.on('error', reject);
    asked.end();
  });
}

test('says when it serves, answers its pages to its own user alone, and ends in order', async () => {
  writeFileSync(
    join(folder, 'a.yaml'),
    [serviceYaml('web', '10.0.0.1'), routeYaml('r', 'web', 'none')].join('---'),
  );
  const socketPath = join(folder, 'admin.sock');
  expect(await start('--admin', socketPath)).toBe('{"ready":true}\n');
  expect(statSync(socketPath).mode & 0o777).toBe(0o600);
  const status = await get({ socketPath, path: '/status' });
  expect(JSON.parse(status.slice(4))).toMatchObject({
    summary: expect.stringMatching(/^reached 0 of 0 nodes/),
    problems: [{ severity: 'warning', line: 15, field: 'spec.rules[0].backendRefs[0].name' }],
  });
  expect(await get({ socketPath, path: '/ready' })).toMatch(/^200 .*"ready": true/s);
  const routes = await get({ socketPath, path: '/routes' });
  expect(JSON.parse(routes.slice(4)).resources).toMatchObject([{ kind: 'http-route', name: 'shop/r' }]);
  expect(await get({ socketPath, path: '/none' })).toMatch(/^404 /);
  const ended = new Promise((resolve) => child?.once('exit', resolve));
  child?.kill('SIGTERM');
  expect(await ended).toBe(0);
});

test('a controller that was killed leaves a socket behind that the next one replaces', async () => {
  await start();
  const gone = new Promise((resolve) => child?.once('exit', resolve));
  child?.kill('SIGKILL');
  await gone;
  expect(await start()).toBe('{"ready":true}\n');
});

test('what it cannot do is said with the cause', () => {
  const run = (...args: string[]) => spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' });
  expect(run('--help')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^usage: controller/) });
  expect(run('--folder', folder)).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/^--listen is missing/),
  });
  expect(run('--folder', folder, '--listen', '10.0.0.1:80')).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/unix:PATH is needed/),
  });
  expect(run('--folder', join(folder, 'missing'), '--listen', `unix:${folder}/s`)).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/cannot start: cannot read the folder .*ENOENT/),
  });
  expect(run('--folder', folder, '--listen', 'unix:/no/such/place')).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/cannot listen on unix:\/no\/such\/place/),
  });
});
