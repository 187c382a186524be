/** A node whose clock is wrong: it joins, serves and says so; what it cannot do is refused by the clock's name; it heals. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { awaitEvent } from './harness/await-event.js';
import { Lab } from './harness/lab.js';
import { type LabNode, linkAddresses } from './harness/lab-node.js';
import { mesh, type PodSpec, service, toYaml, workload } from './harness/manifests.js';
import { parseMetrics, sumSamples } from './harness/metrics.js';
import { startNginx } from './harness/services.js';
import { ShiftedClock } from './harness/shifted-clock.js';
import { Weft } from './harness/weft.js';

interface Certificate {
  readonly workload: string;
  readonly state: string;
  readonly reason: string | null;
  readonly message: string | null;
}

const hour = 3600;
const controller = `${linkAddresses[0]}:15012`;
const ports = [{ name: 'http', port: 8080, appProtocol: 'http' }];
const near: PodSpec = { name: 'near', ports };
const far: PodSpec = { name: 'far', ports };

describe('a node whose clock is wrong', () => {
  let lab: Lab;
  let clock: ShiftedClock;
  let other: LabNode;
  let first: Weft;
  let second: Weft;

  beforeAll(async () => {
    lab = await Lab.open();
    other = await lab.addNode('off');
    const here = await lab.addPod('near');
    const there = await lab.addPod('far', { ipv4: '10.66.1.10', ipv6: 'fd66:0:0:1::a' }, other);
    const manifests = join(lab.folder, 'manifests');
    mkdirSync(manifests);
    const away = workload(far, there) as { spec: object };
    const services = [near, far].flatMap(({ name }, index) =>
      service({ name, host: index + 1, port: 80, targetPort: 8080, appProtocol: 'http' }, lab.pods),
    );
    const documents = [mesh, workload(near, here), { ...away, spec: { ...away.spec, node: 'off' } }];
    writeFileSync(join(manifests, 'all.yaml'), toYaml([...documents, ...services]));
    for (const pod of [here, there]) await startNginx(pod, { port: 8080 });
    clock = await ShiftedClock.create(lab.folder);
    first = await Weft.start(lab, { manifests, more: ['--listen', controller], netns: lab.node.netns });
    // Two hours behind from the start: a certificate of a day begins 2.4 hours before it was signed.
    clock.set(-2 * hour);
    const { stdout } = await first.command('token', 'create', '--node', 'off', '--ttl', '5m');
    const ca = join(first.state, 'controller/authority/ca.crt');
    second = await Weft.join(lab, other, { controller, token: stdout.trim(), ca, under: clock.under });
  });
  afterAll(async () => {
    try {
      await second?.stop();
      await first?.stop();
    } finally {
      await lab?.close();
    }
  });

  /** Of both ways over mutual TLS: the status, and the reason where the mesh answers. */
  const ask = async (pod: 'near' | 'far') => {
    const url = `http://10.97.0.${pod === 'near' ? 2 : 1}/`;
    const words = ['-sS', '-o', '/dev/null', '-m', '10', '-w', '%{http_code} %header{x-weft-reason}', url];
    return (await lab.pod(pod).try(['curl', ...words])).stdout.trim();
  };
  const bothAnswer = (what: string) =>
    awaitEvent(what, 60_000, async () => (await ask('near')) === '200' && (await ask('far')) === '200');
  const certificates = async (weft: Weft): Promise<Certificate[]> =>
    JSON.parse((await weft.command('certificates', '-o', 'json')).stdout) as Certificate[];
  const states = async (weft: Weft) => [...new Set((await certificates(weft)).map(({ state }) => state))];
  const sum = async (name: string, labels = {}) =>
    sumSamples(await parseMetrics(await second.metricsText()), name, labels);
  /** In hours, as the node's agent tells it. */
  const skew = async () => (await sum('weft_clock_skew_seconds')) / hour;
  /** Connections of pod `far` over TLS, both ways. */
  const overTls = async () =>
    (await sum('weft_requests_total', { transport: 'tls', direction: 'inbound' })) > 0 &&
    (await sum('weft_requests_total', { transport: 'tls', direction: 'outbound' })) > 0;

  test('two hours behind, it has joined, proves its pods, and is called and calls by mutual TLS', async () => {
    expect(await states(second)).toEqual(['ready']);
    await awaitEvent('TLS both ways', 60_000, async () => {
      expect([await ask('near'), await ask('far')]).toEqual(['200', '200']);
      return overTls();
    });
  });

  test('log, metric and status say which clock is off and by how much', async () => {
    await second.process.awaitOutput(
      /this node's clock is (2 h|1 h 59 min) behind the controller's; fix: /,
      30_000,
    );
    expect(await skew()).toBeCloseTo(-2, 2);
    const { stdout } = await second.command('status');
    expect(stdout).toMatch(/^clock +of off is (2h0m|1h59m) behind the controller's$/m);
    expect((await first.command('status')).stdout).not.toMatch(/^clock/m);
  });

  test('set six hours ahead while it runs, nothing fails, and nothing is asked for again and again', async () => {
    const obtained = () => sum('weft_identity_certificates_total');
    const before = await obtained();
    clock.set(6 * hour);
    await second.process.awaitOutput(
      /this node's clock is (6 h|5 h 59 min) ahead of the controller's/,
      60_000,
    );
    expect(await skew()).toBeCloseTo(6, 2);
    for (let n = 0; n < 50; n += 1) expect([await ask('near'), await ask('far')]).toEqual(['200', '200']);
    expect(await obtained()).toBe(before);
    // A proxy that begins now finds what is in force in the vault, and is not misled either.
    await second.killProxy();
    await bothAnswer('answers after the proxy began anew');
    expect(await states(second)).toEqual(['ready']);
    expect(await obtained()).toBe(0);
  });

  test('thirty hours ahead, beyond every certificate: refused and told by the clock`s name, and not in a flood', async () => {
    clock.set(30 * hour);
    const told = await awaitEvent('the reason', 120_000, async () => {
      const found = (await certificates(second)).find(({ reason }) => reason === 'clock_skew');
      return found?.workload === 'test.far' ? found : undefined;
    });
    expect(told.state).toBe('expired');
    expect(told.message).toMatch(/ended at .*: this node's clock is 1 d \d+ h ahead of the controller's/);
    // Its pods serve on: as workloads without an identity do, in plaintext where that is permitted.
    await bothAnswer('answers without an identity');
    expect(await sum('weft_identity_refusals_total')).toBeLessThan(60);
  });

  test('once its clock is right all is as it was, without a new token', async () => {
    clock.set(0);
    await awaitEvent('every identity', 90_000, async () => (await states(second)).join() === 'ready');
    await second.process.awaitOutput(/this node's clock and the controller's agree again/, 60_000);
    const before = await sum('weft_requests_total', { transport: 'tls', direction: 'inbound' });
    await awaitEvent('TLS again', 60_000, async () => {
      expect([await ask('near'), await ask('far')]).toEqual(['200', '200']);
      return (await sum('weft_requests_total', { transport: 'tls', direction: 'inbound' })) > before;
    });
    expect((await second.command('status')).code).toBe(0);
  });

  test('five hours behind, beyond what certificates begin earlier: a peer is refused by its dates, and taken once all is right', async () => {
    clock.set(-5 * hour);
    // Connections that are there go on; the next ones begin with a handshake.
    await first.killProxy();
    const refused = async () => (await ask('far')).endsWith('tls_expired_certificate');
    await awaitEvent('the refusal', 60_000, refused);
    clock.set(0);
    await bothAnswer('answers again');
  });
});
