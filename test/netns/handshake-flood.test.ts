/** Memory that handshakes take is bounded: who begins many and ends none loses the oldest, and keeps nobody else out. */
import { awaitEvent } from './harness/await-event.js';
import { peerAuthentication } from './harness/manifests.js';
import { Mesh } from './harness/mesh.js';
import { sumSamples } from './harness/metrics.js';
import { fixture, python, startFixture } from './harness/services.js';

const port = 9000;
const stalled = 2_300;
/** The engine's `tlsHandshakes`, and what one is said to take. */
const underWay = 2_048;
const handshakeBytes = 46 * 1024;

test('2,300 handshakes that nobody ends: 2,048 are held, and others are served', async () => {
  const mesh = await Mesh.open(
    {
      pods: [
        { name: 'client' },
        { name: 'server', ports: [{ name: 'line', port, appProtocol: 'tcp' }] },
        // Nobody stands between it and the wire.
        { name: 'attacker', node: 'elsewhere' },
      ],
      services: [{ name: 'server', host: 2, port, targetPort: port, appProtocol: 'tcp' }],
      more: [peerAuthentication('strict', 'Strict', 'server')],
    },
    ({ lab }) => startFixture(lab.pod('server'), 'line-server.py', port),
  );
  try {
    const sum = async (name: string, labels = {}) => sumSamples(await mesh.samples(), name, labels);
    const target = [mesh.pod('server').ipv4, String(port), String(stalled)];
    const attack = mesh
      .pod('attacker')
      .spawn(['prlimit', '--nofile=8192', python, fixture('stall-handshakes.py'), ...target]);
    await attack.awaitOutput(new RegExp(`answered ${stalled}\n`), 60_000);
    // Each of these takes the place of one more.
    for (let i = 0; i < 10; i += 1) {
      const { received } = await mesh.sendRaw('client', '10.97.0.2', port, 'hello\nbye\n', 10);
      expect(received).toMatch(/HELLO/);
    }
    const refusals = async (reason: string) => sum('weft_refusals_total', { reason });
    await awaitEvent(
      'the refusals to be counted',
      10_000,
      async () => (await refusals('tls_handshake_limit')) > 0,
    );
    // On a machine that is very busy some of them are over by their own time.
    const over = (await refusals('tls_handshake_limit')) + (await refusals('tls_handshake_timeout'));
    expect(over).toBeGreaterThanOrEqual(stalled - underWay);
    const samples = await mesh.samples();
    const sessions = sumSamples(samples, 'weft_engine_tls_sessions');
    expect(sessions).toBeLessThanOrEqual(underWay + 20);
    expect(sumSamples(samples, 'weft_engine_tls_bytes')).toBeLessThanOrEqual(sessions * handshakeBytes);
    attack.closeInput();
    const { cut } = JSON.parse((await attack.result(30_000)).trim().split('\n').at(-1) ?? '') as {
      cut: number;
    };
    expect(cut).toBeGreaterThanOrEqual(stalled - underWay);
    await awaitEvent(
      'the sessions to be gone',
      20_000,
      async () => (await sum('weft_engine_tls_sessions')) === 0,
    );
  } finally {
    await mesh.close();
  }
});
