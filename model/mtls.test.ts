import { Reason } from '../reasons/reasons.js';
import { acceptRule, checkPeer, dialTransport, modeOf } from './mtls.js';
import type { WorkloadView } from './snapshot.js';
import { resource, snapshotOf, workload } from './test-resources.js';
import type { MtlsMode, TransportPhase, Workload } from './workload.js';

const phases: readonly TransportPhase[] = ['plaintext', 'arriving', 'weft-tls', 'leaving'];
const modes: readonly MtlsMode[] = ['strict', 'permissive', 'disabled'];

function view(changes: Partial<Workload>): WorkloadView {
  const body = workload(changes);
  const made = snapshotOf(resource('workload', body)).workloads.get(body.uid);
  if (made === undefined) throw new Error('the workload was refused');
  return made;
}

const at = (transport: TransportPhase, mode: MtlsMode = 'permissive', captured = true) =>
  view({ transport, captured, mtls: { mode, ports: {} } });

test('a port`s own mode comes before its workload`s', () => {
  const body = workload({ mtls: { mode: 'strict', ports: { 80: 'disabled', 81: 'permissive' } } });
  expect([80, 81, 82].map((port) => modeOf(body, port))).toEqual(['disabled', 'permissive', 'strict']);
});

/** Another workload than {@link at}'s. */
const caller = (transport: TransportPhase, captured = true) =>
  view({ uid: 'shop.caller', name: 'caller', transport, captured });

describe('dialTransport', () => {
  const source = caller('weft-tls');

  test('nobody speaks TLS to what is not known to stand behind its agent, whatever its mode', () => {
    expect(dialTransport(source, true, undefined, 80)).toBe('plaintext');
    for (const mode of modes) {
      expect(dialTransport(source, true, at('plaintext', mode, false), 80)).toBe('plaintext');
      expect(dialTransport(source, true, at('plaintext', mode, true), 80)).toBe('plaintext');
      expect(dialTransport(source, true, at('leaving', mode, false), 80)).toBe('plaintext');
    }
  });

  test('TLS from arriving on, never where it is disabled', () => {
    for (const phase of ['arriving', 'weft-tls'] as const) {
      expect(modes.map((mode) => dialTransport(source, true, at(phase, mode), 80))).toEqual([
        'tls',
        'tls',
        'plaintext',
      ]);
    }
  });

  test('a strict workload that lost its identity gets no plaintext, a permissive one does', () => {
    expect(dialTransport(source, true, at('leaving', 'strict'), 80)).toBe('tls');
    expect(dialTransport(source, true, at('leaving', 'permissive'), 80)).toBe('plaintext');
  });

  test('a caller that is not known to be captured yet sends plaintext where that is taken', () => {
    for (const phase of ['plaintext', 'leaving'] as const) {
      expect(dialTransport(caller(phase), true, at('weft-tls'), 80)).toBe('plaintext');
      expect(dialTransport(caller(phase), true, at('weft-tls', 'strict'), 80)).toBe('tls');
    }
  });

  test('without an identity a connection that must be TLS is refused', () => {
    expect(dialTransport(source, false, at('weft-tls'), 80)).toBe(Reason.tls_no_identity);
    expect(dialTransport(caller('plaintext'), false, at('weft-tls', 'strict'), 80)).toBe(
      Reason.tls_no_identity,
    );
    expect(dialTransport(caller('leaving'), false, at('weft-tls'), 80)).toBe('plaintext');
  });

  test('what a pod says to itself passes no agent, so it is never TLS', () => {
    for (const mode of modes) {
      const self = at('weft-tls', mode);
      expect([mode, dialTransport(self, true, self, 80)]).toEqual([mode, 'plaintext']);
      expect([mode, dialTransport(self, false, self, 80)]).toEqual([mode, 'plaintext']);
    }
  });
});

describe('acceptRule', () => {
  const local = at('weft-tls');
  const strict = at('weft-tls', 'strict');
  const unmeshed = at('plaintext', 'permissive', false);

  test('strict takes TLS alone once all know of it', () => {
    for (const phase of phases) expect(acceptRule(strict, true, 80, at(phase))).toBe('secure');
    expect(acceptRule(strict, true, 80, undefined)).toBe('secure');
    expect(acceptRule(strict, true, 80, unmeshed)).toBe(Reason.plaintext_refused);
  });

  test('strict takes plaintext of meshed callers alone until then, and nothing without an identity', () => {
    expect(acceptRule(at('arriving', 'strict'), true, 80, at('weft-tls'))).toBe('sniff');
    for (const phase of ['plaintext', 'arriving', 'leaving'] as const)
      expect(acceptRule(at(phase, 'strict'), true, 80, undefined)).toBe('identify');
    expect(acceptRule(at('arriving', 'strict'), true, 80, unmeshed)).toBe(Reason.plaintext_refused);
    for (const phase of phases) {
      expect(acceptRule(at(phase, 'strict'), false, 80, at('weft-tls'))).toBe(Reason.tls_no_identity);
    }
  });

  test('permissive demands TLS of those who surely speak it', () => {
    expect(phases.map((phase) => acceptRule(local, true, 80, at(phase)))).toEqual([
      'sniff',
      'sniff',
      'secure',
      'sniff',
    ]);
    expect(acceptRule(at('arriving'), true, 80, local)).toBe('sniff');
    expect(acceptRule(local, true, 80, undefined)).toBe('sniff');
    expect(acceptRule(local, true, 80, unmeshed)).toBe('plaintext');
    expect(acceptRule(local, true, 80, at('leaving', 'permissive', false))).toBe('sniff');
  });

  test('permissive without an identity refuses those who surely speak TLS', () => {
    expect(acceptRule(local, false, 80, at('weft-tls'))).toBe(Reason.tls_no_identity);
    expect(acceptRule(local, false, 80, at('plaintext'))).toBe('plaintext');
    expect(acceptRule(at('leaving'), false, 80, at('weft-tls'))).toBe('plaintext');
    expect(acceptRule(local, false, 80, unmeshed)).toBe('plaintext');
  });

  test('a workload that has been released takes what comes, whatever its mode, while its agent still stands there', () => {
    for (const mode of modes) {
      for (const caller of [undefined, local, unmeshed]) {
        expect(acceptRule(at('plaintext', mode, false), false, 80, caller)).toBe('plaintext');
        expect(acceptRule(at('plaintext', mode, false), true, 80, caller)).toBe('sniff');
      }
    }
  });

  test('disabled takes plaintext', () => {
    for (const phase of phases) expect(acceptRule(at(phase, 'disabled'), true, 80, local)).toBe('plaintext');
  });
});

test('two ends with one configuration and identities always understand each other', () => {
  const unmeshed = (view: WorkloadView) => !view.workload.captured && view.workload.transport === 'plaintext';
  for (const [from, to] of phases.flatMap((one) => phases.map((other) => [one, other] as const))) {
    for (const [calls, called] of [
      [true, true],
      [true, false],
      [false, true],
      [false, false],
    ] as const) {
      for (const mode of modes) {
        const source = caller(from, calls);
        const destination = at(to, mode, called);
        // Without agents nothing is decided.
        if (unmeshed(source) || unmeshed(destination)) continue;
        const dialled = dialTransport(source, true, destination, 80);
        const accepted = acceptRule(destination, true, 80, source);
        const fits = dialled === 'tls' ? ['secure', 'sniff'] : ['sniff', 'plaintext'];
        expect(fits).toContain(accepted);
      }
    }
  }
});

test('a peer is who it says only from its own address', () => {
  const caller = at('weft-tls');
  expect(checkPeer(caller, 'spiffe://mesh.test/ns/shop/sa/cart')).toBe('proven');
  expect(checkPeer(caller, 'spiffe://mesh.test/ns/shop/sa/web')).toBe('wrong-identity');
  expect(checkPeer(undefined, 'spiffe://mesh.test/ns/shop/sa/cart')).toBe('unknown-address');
});
