import type { Channel } from '../../native/channel.js';
import type { CaptureMessage } from '../handover/messages.js';
import { parseCaptureMessage } from '../handover/parse-capture-message.js';
import type { EnrolmentRegister } from './enrolment-register.js';
import { ProxyLead } from './proxy-lead.js';
import type { RuleStore } from './rule-store.js';
import { EnrolledNamespaces } from './runtime/enrolled-namespaces.js';
import type { PodBook } from './runtime/pod-book.js';
import { ProxySession } from './serve-proxy.js';
import { Vault } from './vault.js';

function setUp(
  register: Partial<EnrolmentRegister> = {},
  rules: Partial<RuleStore> = {},
  pods: Partial<PodBook> = {},
) {
  const answers: { message: CaptureMessage; descriptors: readonly number[] }[] = [];
  const closed: number[] = [];
  const events: string[] = [];
  const channel: Channel = {
    peer: { pid: 5, uid: 1000, gid: 1000 },
    send: (message, descriptors = []) => {
      answers.push({ message: parseCaptureMessage(message, descriptors.length), descriptors });
    },
    close: () => events.push('closed'),
  };
  const namespaces = new EnrolledNamespaces(undefined, () => {});
  const lead = new ProxyLead<ProxySession>({
    hasLed: false,
    after: () => ({ cancel: () => {} }),
    onLeading: (one) => one.tellLeading(),
    onSuperseded: (one) => one.tellSuperseded(),
  });
  const session = new ProxySession(channel, {
    register: { enrolled: ['uid-1'], ...register } as EnrolmentRegister,
    pods: { held: ['uid-2'], ...pods } as PodBook,
    namespaces,
    rules: rules as RuleStore,
    vault: new Vault(),
    notesMap: 3,
    readRefusals: () => ({ 1: 5 }),
    closeDescriptor: (descriptor) => closed.push(descriptor),
    lead,
    onGreeted: () => events.push('greeted'),
    onGone: () => events.push('gone'),
    log: () => {},
  });
  const say = (message: unknown, descriptors: number[] = []) => {
    session.handlers.onMessage(Buffer.from(JSON.stringify(message)), descriptors);
    return answers.at(-1);
  };
  return { say, session, answers, closed, events, namespaces, lead };
}

const hello = { type: 'hello', protocol: 3, standing: 'fresh' };

test('a proxy is welcomed with the notes map and what is enrolled', () => {
  const { say, events, answers } = setUp();
  say(hello);
  expect(answers).toEqual([
    { message: { type: 'welcome', protocol: 3 }, descriptors: [3] },
    { message: { type: 'leading', enrolled: ['uid-1'], held: ['uid-2'] }, descriptors: [] },
  ]);
  expect(events).toEqual(['greeted']);
});

test('a proxy that another one has superseded changes nothing, and may ask for sockets and counters', () => {
  const { say, answers, lead } = setUp({ makeSockets: () => [40], readCounters: () => [] });
  say(hello);
  lead.greeted({ tellLeading: () => {} } as ProxySession, 'leading');
  expect(answers.at(-1)?.message).toEqual({ type: 'superseded' });
  expect(say({ type: 'withdraw', workload: 'uid-1' })?.message).toMatchObject({
    type: 'refused',
    message: 'another proxy leads',
  });
  expect(say({ type: 'counters' })?.message.type).toBe('counters');
  expect(say({ type: 'sockets', workload: 'uid-1', family: 4, count: 1 })?.message.type).toBe('sockets');
});

test('before hello, and for another protocol, everything is refused', () => {
  const { say, events } = setUp();
  expect(say({ type: 'counters' })?.message).toMatchObject({ type: 'refused', message: 'hello comes first' });
  expect(say({ type: 'hello', protocol: 1 })?.message).toMatchObject({ type: 'refused', request: 'hello' });
  expect(events).toEqual([]);
});

test('a packet that is no message ends the connection without an answer', () => {
  const { say, answers, events } = setUp();
  say({ type: 'enrol' });
  expect([answers, events]).toEqual([[], ['closed']]);
});

test('descriptors that a proxy sends are closed', () => {
  const { say, closed } = setUp();
  say(hello, [40, 41]);
  expect(closed).toEqual([40, 41]);
});

test('what the register refuses is answered with its reason, and the connection goes on', () => {
  const enrol = () => {
    throw new Error('there is no namespace pod-1', { cause: new Error('ENOENT') });
  };
  const { say } = setUp({}, {}, { enrol });
  say(hello);
  const enrolment = {
    workload: 'uid-1',
    netns: 'pod-1',
    addresses: [],
    failMode: 'closed',
    udp: 'allow',
    probePorts: [],
    group: 0,
  };
  expect(say({ type: 'enrol', enrolment })?.message).toEqual({
    type: 'refused',
    request: 'enrol',
    workload: 'uid-1',
    message: 'there is no namespace pod-1: ENOENT',
  });
});

test('sockets are the proxy’s once sent', () => {
  const { say, closed } = setUp({ makeSockets: () => [50, 51] });
  say(hello);
  expect(say({ type: 'sockets', workload: 'uid-1', family: 4, count: 2 })?.descriptors).toEqual([50, 51]);
  expect(closed).toEqual([50, 51]);
});

test('rules in several packets come into force together', () => {
  const applied: unknown[] = [];
  const { say, answers } = setUp({}, { apply: (rules) => applied.push(rules) });
  say(hello);
  const part = (cidr: string, more: boolean) => ({
    type: 'kernel-rules',
    rules: { destinations: [{ cidr, action: 'proxy', group: 0 }], rules: [] },
    more,
  });
  say(part('10.0.0.0/8', true));
  expect([applied.length, answers.length]).toEqual([0, 2]);
  expect(say(part('10.1.0.0/16', false))?.message).toEqual({ type: 'rules-applied' });
  expect(applied).toEqual([
    {
      destinations: [
        { cidr: '10.0.0.0/8', action: 'proxy', group: 0 },
        { cidr: '10.1.0.0/16', action: 'proxy', group: 0 },
      ],
      rules: [],
    },
  ]);
});

test('only a greeted proxy that leaves is missed', () => {
  const stranger = setUp();
  stranger.session.handlers.onClose(undefined);
  expect(stranger.events).toEqual([]);
  const proxy = setUp();
  proxy.say(hello);
  proxy.session.handlers.onClose(undefined);
  expect(proxy.events).toEqual(['greeted', 'gone']);
});

test('a secret is kept until it is dropped or its workload is withdrawn', () => {
  const { say } = setUp({}, {}, { withdraw: () => {} });
  say(hello);
  const put = (workload: string) => say({ type: 'vault-put', workload, secret: 'c2VjcmV0' })?.message;
  const get = (workload: string) => say({ type: 'vault-get', workload })?.message;
  expect(put('a')).toEqual({ type: 'vault-kept', workload: 'a' });
  put('b');
  expect(get('a')).toEqual({ type: 'vault-entry', workload: 'a', secret: 'c2VjcmV0' });
  expect(say({ type: 'vault-drop', workload: 'a' })?.message).toEqual({
    type: 'vault-dropped',
    workload: 'a',
  });
  expect(get('a')).toEqual({ type: 'vault-entry', workload: 'a', secret: null });
  say({ type: 'withdraw', workload: 'b' });
  expect(get('b')).toMatchObject({ secret: null });
});

test('before hello nobody gets a secret', () => {
  const { say } = setUp();
  expect(say({ type: 'vault-get', workload: 'a' })?.message).toMatchObject({ message: 'hello comes first' });
});

test('namespaces in several packets come into force together', () => {
  const { say, namespaces } = setUp();
  say(hello);
  say({ type: 'hold', namespaces: ['shop'], more: true });
  expect(namespaces.has('shop')).toBe(false);
  expect(say({ type: 'hold', namespaces: ['bank'], more: false })?.message).toEqual({ type: 'hold-applied' });
  expect([namespaces.has('shop'), namespaces.has('bank'), namespaces.has('other')]).toEqual([
    true,
    true,
    false,
  ]);
});

test('a proxy is told of a new pod that is held, once it was greeted', () => {
  const { say, session, answers } = setUp();
  session.tellHeld('uid-3');
  say(hello);
  session.tellHeld('uid-3');
  expect(answers.map(({ message }) => message.type)).toEqual(['welcome', 'leading', 'held']);
});
