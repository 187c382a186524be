import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { statePaths } from '../state-folder.js';
import { canRead } from './check-access.js';
import { findUser } from './find-user.js';
import { parseJoinOptions } from './join-options.js';
import { mountedFiles, mountPrefix } from './plan-mounts.js';
import {
  type PlanInput,
  planCapture,
  planClean,
  planController,
  planProxy,
  unprivileged,
} from './plan-processes.js';
import { prepareMountPoints } from './prepare-state.js';
import { formatLogLine } from './relay-log.js';
import { planRestart } from './restart-backoff.js';
import { parseRunOptions } from './run-options.js';

function input(...args: string[]): PlanInput {
  const options = parseRunOptions(['-f', '/manifests', '--state', '/s', ...args]);
  return {
    options,
    paths: statePaths(options.state, options.pinFolder),
    proxyUser: { uid: 65534, gid: 65534 },
    controllerUser: { uid: 65533, gid: 65533 },
    trustDomain: 'abc.weft',
    files: { node: '/bin/node', dist: '/dist', manifests: '/manifests', mounts: [] },
  };
}

const here = { kind: 'here', identities: true } as const;

test('controller and proxy run as their users, without any capability', () => {
  const { argv } = planController(input());
  const wrapped = '--reuid=65533 --regid=65533 --clear-groups --inh-caps=-all --ambient-caps=-all';
  expect(argv.join(' ')).toBe(
    `setpriv ${wrapped} --bounding-set=-all --no-new-privs --pdeathsig=SIGTERM -- /bin/node ` +
      '/dist/controller/main.js --folder /manifests --shown-as /manifests --listen unix:/s/controller/agents.sock ' +
      '--admin /s/controller/admin.sock --node local --trust-domain abc.weft ' +
      '--authority /s/controller/authority --create-authority --certificate-seconds 86400',
  );
  expect(planProxy(input('--workers', '4', '--metrics', '0.0.0.0:9'), here).argv.join(' ')).toMatch(
    /--reuid=65534 .* \/dist\/agent\/proxy\/main.js --node local --controller unix:\/s\/controller\/agents.sock --capture \/s\/capture\/capture.sock --workers 4 --metrics 0.0.0.0:9 --shared-metrics --drain-ms 60000 --admin \/s\/proxy\/admin.sock --access-log \/s\/access.log --state \/s\/proxy\/snapshot$/,
  );
});

test('the controller is an authority of its own user, unless identities are off', () => {
  const plain = input('--no-identities');
  expect(planController(plain).argv.join(' ')).not.toMatch(/authority|identities|certificate/);
  expect(planProxy(plain, { kind: 'here', identities: false }).argv).toContain('--no-identities');
  const words = (...more: string[]) => planController(input(...more)).argv.join(' ');
  expect(words('--external-issuer', '/pki', '--certificate-seconds', '60')).toMatch(
    / --external-issuer \/pki --certificate-seconds 60$/,
  );
  expect(parseRunOptions(['-f', '/m']).controllerUser).toBe('65532');
  expect(() => parseRunOptions(['-f', '/m', '--no-identities', '--certificate-seconds', '9'])).toThrow(
    /cannot go with --no-identities/,
  );
  expect(() => parseRunOptions(['-f', '/m', '--certificate-seconds', '4'])).toThrow(/5 to 2592000/);
});

test('a controller that listens for nodes keeps their tokens, and a further node reaches it with what it joins with', () => {
  const listening = planController(input('--listen', '10.0.0.1:15012')).argv.join(' ');
  expect(listening).toMatch(/ --listen-nodes 10.0.0.1:15012 --tokens \/s\/controller\/tokens.json$/);
  expect(() => parseRunOptions(['-f', '/m', '--listen', '10.0.0.1:15012', '--no-identities'])).toThrow(
    /cannot go with --no-identities/,
  );
  expect(() => parseRunOptions(['-f', '/m', '--listen', '15012'])).toThrow(/no HOST:PORT/);
  const join = ['--controller', '10.0.0.1:15012', '--node', 'b', '--token-file', '/t', '--ca-file', '/c'];
  const options = parseJoinOptions([...join, '--state', '/s']);
  const joining = { token: '/s/join/token', ca: '/s/join/ca.crt' };
  const place = { kind: 'elsewhere', address: options.controller, joining } as const;
  expect(planProxy({ ...input(), options }, place).argv.join(' ')).toMatch(
    / --node b --controller 10.0.0.1:15012 --token-file \/s\/join\/token --ca-file \/s\/join\/ca.crt --capture /,
  );
  expect(() => parseJoinOptions(join.slice(2))).toThrow(/--controller is missing/);
  expect(() => parseJoinOptions(join.slice(0, 6))).toThrow(/--ca-file is missing/);
});

test('capture keeps four capabilities of root', () => {
  const { argv } = planCapture(input('--cgroup', '/a', '--cgroup', '/b', '--grace-ms', '500'));
  const text = argv.join(' ');
  expect(text).toMatch(/^setpriv --bounding-set=-all,\+bpf,\+chown,\+net_admin,\+perfmon,\+sys_admin /);
  expect(text).toMatch(
    /--pin-folder \/sys\/fs\/bpf\/weft-[0-9a-f]{8} --cgroup \/a --cgroup \/b --proxy-uid 65534 --grace-ms 500$/,
  );
});

test('files in a closed folder are mounted for the process alone, and only read there', () => {
  const root = mkdtempSync(join(tmpdir(), 'weft-m-'));
  try {
    const [closed, open] = [join(root, 'closed'), join(root, 'open')];
    chmodSync(root, 0o711);
    mkdirSync(join(closed, 'code/dist'), { recursive: true });
    writeFileSync(join(closed, 'code/dist/main'), 'the code');
    writeFileSync(join(closed, 'node'), 'the program');
    mkdirSync(join(closed, 'manifests'));
    chmodSync(closed, 0o700);
    const nobody = unprivileged({ uid: 65534, gid: 65534 });
    expect(canRead(nobody, [join(closed, 'node')])).toBe(false);
    const files = mountedFiles(open, {
      node: join(closed, 'node'),
      codeRoot: join(closed, 'code'),
      manifests: join(closed, 'manifests'),
    });
    prepareMountPoints(open, files.mounts);
    const [program = '', ...args] = [
      ...mountPrefix(files.mounts),
      ...nobody,
      'cat',
      `${files.dist}/main`,
      files.node,
    ];
    expect(spawnSync(program, args, { encoding: 'utf8' })).toMatchObject({
      stdout: 'the codethe program',
      status: 0,
    });
    expect(existsSync(join(files.dist, 'main'))).toBe(false);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});

test('two state folders never share pins, and the same folder always has the same ones', () => {
  const clean = (state?: string) => planClean(statePaths(state), '/bin/node', '/dist').argv.join(' ');
  expect(clean('/s')).toBe(clean('/s/'));
  expect(clean('/s')).not.toBe(clean('/t'));
  expect(clean()).toBe('/bin/node /dist/agent/capture/clean.js --pin-folder /sys/fs/bpf/weft');
});

test('a process that is started unprivileged holds nothing and cannot gain anything', () => {
  const [program = '', ...args] = [...unprivileged({ uid: 65534, gid: 65534 }), 'cat', '/proc/self/status'];
  const { stdout } = spawnSync(program, args, { encoding: 'utf8' });
  expect(stdout).toMatch(/^Uid:\t65534\t65534\t65534\t65534$/m);
  expect(stdout).toMatch(/^Groups:\t *$/m);
  for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
    expect(stdout).toMatch(new RegExp(`^${set}:\t0+$`, 'm'));
  }
  expect(stdout).toMatch(/^NoNewPrivs:\t1$/m);
});

test('users are found by name and number, and root is refused', () => {
  const passwd = 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65533::/:/bin/false\n';
  expect(findUser('nobody', passwd)).toEqual({ uid: 65534, gid: 65533 });
  expect(findUser('65534', passwd)).toEqual({ uid: 65534, gid: 65533 });
  expect(findUser('1234', passwd)).toEqual({ uid: 1234, gid: 1234 });
  expect(() => findUser('0', passwd)).toThrow(/privileged/);
  expect(() => findUser('root', passwd)).toThrow(/privileged/);
  expect(() => findUser('weft', passwd)).toThrow(/there is no user weft/);
});

test('the first restart is immediate, then waits double, and a long run forgives', () => {
  let history = { failures: 0 };
  const waits = [10, 10, 10, 10, 40_000, 10].map((ranMs) => {
    const plan = planRestart(history, ranMs);
    history = plan.history;
    return plan.delayMs;
  });
  expect(waits).toEqual([0, 100, 200, 400, 0, 100]);
});

test('log lines are readable, and foreign output keeps its text', () => {
  const entry = {
    time: 't',
    level: 'warn',
    component: 'proxy',
    message: 'no controller',
    error: 'ENOENT: x y',
    n: 3,
  };
  expect(formatLogLine('proxy', JSON.stringify(entry))).toBe(
    'proxy warn: no controller error="ENOENT: x y" n=3',
  );
  expect(formatLogLine('proxy', 'Segmentation fault')).toBe('proxy: Segmentation fault');
  expect(formatLogLine('proxy', '{not json')).toBe('proxy: {not json');
});

test('options that cannot be used are refused', () => {
  expect(() => parseRunOptions([])).toThrow(/-f DIR is missing/);
  expect(() => parseRunOptions(['-f', '/x', '--workers', '0'])).toThrow(/--workers 0/);
  expect(() => parseRunOptions(['-f', '/x', '--node', 'A b'])).toThrow(/--node/);
  expect(() => parseRunOptions(['-f', '/x', '--folders', 'A b'])).toThrow(/Unknown option/);
});

test('a further node keeps its key where it is told to, and otherwise nowhere', () => {
  const join = ['--controller', 'h:1', '--node', 'b', '--token-file', '/t', '--ca-file', '/c'];
  expect(parseJoinOptions(join).nodeKeyFile).toBeUndefined();
  const { nodeKeyFile } = parseJoinOptions([...join, '--node-key-file', '/var/lib/weft/node.key']);
  const words = (file: string | undefined) => planCapture({ ...input(), nodeKeyFile: file }).argv.join(' ');
  expect(words(nodeKeyFile)).toMatch(/ --node-key-file \/var\/lib\/weft\/node.key$/);
  expect(words(undefined)).not.toMatch(/node-key/);
});
