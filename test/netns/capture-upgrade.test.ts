import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Channel } from '../../native/channel.js';
import { loadCapture } from '../../native/load-capture.js';
import { awaitEvent } from './harness/await-event.js';
import { Lab } from './harness/lab.js';
import type { LabProcess } from './harness/lab-process.js';
import { runCommand } from './harness/run-command.js';
import { python } from './harness/services.js';

const addon = loadCapture();
const built = join(import.meta.dirname, '../../agent/capture');

type Answer = { readonly message: Record<string, unknown>; readonly descriptors: number[] };

/** A proxy as capture sees it: it asks, and holds the descriptors that it is given. */
class StandInProxy {
  private readonly answers: Answer[] = [];
  private readonly channel: Channel;

  constructor(socket: string) {
    this.channel = addon.connectChannel(socket, {
      onMessage: (packet, descriptors) =>
        this.answers.push({ message: JSON.parse(packet.toString()) as Answer['message'], descriptors }),
      onClose: () => {},
    });
  }

  async ask(message: unknown): Promise<Answer> {
    this.channel.send(Buffer.from(JSON.stringify(message)));
    return awaitEvent('an answer of capture', 5_000, () => this.answers.shift());
  }

  async greet(): Promise<unknown> {
    const { message, descriptors } = await this.ask({ type: 'hello', protocol: 3, standing: 'fresh' });
    for (const descriptor of descriptors) closeSync(descriptor);
    expect(message).toEqual({ type: 'welcome', protocol: 3 });
    const leading = await awaitEvent('the lead', 5_000, () => this.answers.shift());
    return leading.message.enrolled;
  }

  close(): void {
    this.channel.close();
  }
}

describe('capture itself is upgraded, killed and cleaned up after', () => {
  let lab: Lab;
  let capture: LabProcess;
  let standBy: LabProcess;
  let state: string;
  let pinFolder: string;
  const held: number[] = [];

  const socket = () => join(state, 'capture.sock');

  async function startCapture(name: string, ...more: string[]): Promise<LabProcess> {
    const flags = ['--socket', socket(), '--pin-folder', pinFolder, '--proxy-uid', '0', ...more];
    const started = lab.spawn([process.execPath, join(built, 'main.js'), ...flags], { name });
    await started.awaitOutput(/"ready":true/, 20_000);
    return started;
  }

  async function enrol(proxy: StandInProxy): Promise<number> {
    const enrolment = {
      workload: 'uid-a',
      netns: lab.pod('a').netns,
      addresses: [lab.pod('a').ipv4, lab.pod('a').ipv6],
      failMode: 'closed',
      udp: 'allow',
      probePorts: [],
      group: 0,
    };
    const { message, descriptors } = await proxy.ask({ type: 'enrol', enrolment });
    expect(message).toMatchObject({ type: 'enrolled', workload: 'uid-a' });
    held.push(...descriptors);
    return descriptors.length;
  }

  /** Connects of the pod to an address that exists nowhere: `[succeeded, failed]`, until its input ends. */
  const connects = `
import select, socket, sys
good = bad = 0
while not select.select([sys.stdin], [], [], 0.001)[0]:
    try:
        socket.create_connection(("10.96.0.1", 80), timeout=2).close()
        good += 1
    except OSError:
        bad += 1
print(good, bad)
`;

  beforeAll(async () => {
    lab = await Lab.open();
    await lab.addPod('a');
    // Named as `weft clean --state` would, so that the lab takes the pins away even after a run that died.
    state = join(lab.folder, 'state');
    mkdirSync(state);
    pinFolder = `/sys/fs/bpf/weft-${createHash('sha256').update(state).digest('hex').slice(0, 8)}`;
    capture = await startCapture('capture');
    const proxy = new StandInProxy(socket());
    expect(await proxy.greet()).toEqual([]);
    expect(await enrol(proxy)).toBe(11);
    const destinations = [{ cidr: '10.96.0.0/16', action: 'proxy', group: 0 }];
    const rules = await proxy.ask({ type: 'kernel-rules', rules: { destinations, rules: [] } });
    expect(rules.message).toEqual({ type: 'rules-applied' });
    proxy.close();
  });
  afterAll(async () => {
    for (const descriptor of held) closeSync(descriptor);
    await lab?.close();
  });

  /** Connects of the pod, all the while that `act` runs: `[succeeded, failed]`. */
  async function underLoad(act: () => Promise<void>): Promise<[good: number, bad: number]> {
    const load = lab.pod('a').spawn([python, '-c', connects], { name: 'connects' });
    await act();
    load.closeInput();
    const [good = 0, bad = 0] = (await load.result(10_000)).trim().split(' ').map(Number);
    return [good, bad];
  }

  /** What serves is in force for a proxy that comes anew, and listens where it did. */
  async function expectServed(): Promise<void> {
    const proxy = new StandInProxy(socket());
    expect(await proxy.greet()).toEqual(['uid-a']);
    expect(await enrol(proxy)).toBe(11);
    proxy.close();
  }

  test('a successor takes over while the pod connects: no connect fails, and the one before stands by', async () => {
    const before = capture;
    const [good, bad] = await underLoad(async () => {
      capture = await startCapture('successor', '--take-over');
      await before.awaitOutput(/standing by/);
      await expectServed();
    });
    expect(good).toBeGreaterThan(20);
    expect(bad).toBe(0);
    expect(before.running).toBe(true);
    standBy = before;
  });

  test('a successor that ends gives back to the one that stands by: no connect fails', async () => {
    const [good, bad] = await underLoad(async () => {
      const served = standBy.stdout.length;
      capture.signal('SIGTERM');
      expect(await capture.exited).toEqual({ code: 0, signal: null });
      await awaitEvent('the one before to serve', 5_000, () => standBy.stdout.length > served);
      await expectServed();
    });
    expect(good).toBeGreaterThan(0);
    expect(bad).toBe(0);
    capture = standBy;
  });

  test('a successor that cannot start takes nothing over', async () => {
    for (const broken of [
      ['--object', '/dev/null'],
      ['--kubelet-cgroup', '/nowhere'],
    ]) {
      const flags = [
        '--socket',
        socket(),
        '--pin-folder',
        pinFolder,
        '--proxy-uid',
        '0',
        '--take-over',
        ...broken,
      ];
      const [, bad] = await underLoad(async () => {
        const failed = lab.spawn([process.execPath, join(built, 'main.js'), ...flags], { name: 'broken' });
        expect((await failed.exited).code).toBe(1);
        await expectServed();
      });
      expect(bad).toBe(0);
    }
    expect(capture.running).toBe(true);
  });

  test('where the one that serves is killed the one that stands by serves at once', async () => {
    const before = capture;
    capture = await startCapture('successor', '--take-over');
    await before.awaitOutput(/standing by[\s\S]*standing by/);
    const served = before.stdout.length;
    capture.signal('SIGKILL');
    await awaitEvent('the one before to serve', 5_000, () => before.stdout.length > served);
    capture = before;
    for (const descriptor of held.splice(0)) closeSync(descriptor);
    await expectServed();
  });

  test('a second capture without a take-over is refused and changes nothing', async () => {
    const flags = ['--socket', socket(), '--pin-folder', pinFolder, '--proxy-uid', '0'];
    const second = lab.spawn([process.execPath, join(built, 'main.js'), ...flags], { name: 'second' });
    expect((await second.exited).code).toBe(1);
    expect(second.stderr).toContain('another capture serves at');
    expect(second.stderr).not.toContain('kernel programs are in force');
    const proxy = new StandInProxy(socket());
    expect(await proxy.greet()).toEqual(['uid-a']);
    proxy.close();
  });

  test('killed and started again it knows who was enrolled, and enrols anew', async () => {
    capture.signal('SIGKILL');
    await capture.exited;
    for (const descriptor of held.splice(0)) closeSync(descriptor);
    const refused = await lab.pod('a').try([python, '-c', connectOnce('10.96.0.1')]);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('ConnectionRefusedError')]);
    capture = await startCapture('capture again');
    const proxy = new StandInProxy(socket());
    expect(await proxy.greet()).toEqual(['uid-a']);
    expect(await enrol(proxy)).toBe(11);
    expect((await lab.pod('a').try([python, '-c', connectOnce('10.96.0.1')])).code).toBe(0);
    proxy.close();
  });

  test('a namespace that is gone leaves no link behind', async () => {
    const links = () => readdirSync(join(pinFolder, 'v1/namespaces'));
    expect(links()).toHaveLength(1);
    await lab.removePod('a');
    await awaitEvent('the link to go', 5_000, () => links().length === 0);
    const proxy = new StandInProxy(socket());
    expect(await proxy.greet()).toEqual([]);
    proxy.close();
  });

  test('clean removes every link and proves it', async () => {
    capture.signal('SIGTERM');
    expect(await capture.exited).toEqual({ code: 0, signal: null });
    const clean = join(built, 'clean.js');
    const said = JSON.parse(await runCommand([process.execPath, clean, '--pin-folder', pinFolder]));
    expect(said).toMatchObject({ left: [] });
    expect(said.links).toBeGreaterThanOrEqual(9);
  });
});

function connectOnce(address: string): string {
  return `import socket; socket.create_connection(("${address}", 80), timeout=2)`;
}
