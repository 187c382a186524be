import type { Channel, ChannelHandlers } from '../../native/channel.js';
import { CaptureServer } from './capture-server.js';
import type { EnrolmentRegister } from './enrolment-register.js';
import type { RuleStore } from './rule-store.js';
import type { EnrolledNamespaces } from './runtime/enrolled-namespaces.js';
import type { PodBook } from './runtime/pod-book.js';
import { Vault } from './vault.js';
import { ProxyWatch } from './watch-proxy.js';

const proxyUid = 1000;
const ownUid = 0;

function setUp(openProcess: (pid: number) => number = () => 70) {
  let connect: ((channel: Channel) => ChannelHandlers | undefined) | undefined;
  const events: string[] = [];
  const vault = new Vault();
  const watch = new ProxyWatch({
    graceMs: 1_000,
    after: () => ({ cancel: () => {} }),
    hasEnded: () => true,
    closeDescriptor: (descriptor) => events.push(`closed ${descriptor}`),
    onGone: () => {},
  });
  const server = new CaptureServer({
    functions: {
      listenChannel: (_path, _owner, onConnect) => {
        connect = onConnect;
        return { close: () => events.push('path let go') };
      },
    },
    socket: '/run/weft/capture.sock',
    proxyUid,
    ownUid,
    register: { enrolled: [], pods: [] } as unknown as EnrolmentRegister,
    pods: { held: [] } as unknown as PodBook,
    namespaces: {} as EnrolledNamespaces,
    rules: {} as RuleStore,
    vault,
    watch,
    hasLed: false,
    notesMap: 3,
    readRefusals: () => ({}),
    openProcess,
    closeDescriptor: (descriptor) => events.push(`closed ${descriptor}`),
    after: () => ({ cancel: () => {} }),
    onHandOver: () => events.push('handing over'),
    onHandedOver: (replaced) => events.push(replaced ? 'replaced' : 'kept'),
    log: () => {},
  });
  const open = (uid: number) => {
    const channel: Channel = {
      peer: { pid: 5, uid, gid: uid },
      send: (message) => events.push(JSON.parse(message.toString()).type),
      close: () => events.push('channel closed'),
    };
    const handlers = connect?.(channel);
    const say = (message: unknown) => handlers?.onMessage(Buffer.from(JSON.stringify(message)), []);
    return { handlers, say };
  };
  return { open, events, watch, vault, server };
}

const takeOver = { type: 'take-over', reads: [4] };
const hello = { type: 'hello', protocol: 3, standing: 'fresh' };

test('another user is refused', () => {
  expect(setUp().open(1001).handlers).toBeUndefined();
});

test('the proxy’s user is served as a proxy, and cannot take over', () => {
  const { open, events, watch } = setUp();
  const proxy = open(proxyUid);
  proxy.say(hello);
  expect([events, watch.kind]).toEqual([['welcome', 'leading'], 'present']);
  const thief = open(proxyUid);
  thief.say(takeOver);
  expect(events).toEqual(['welcome', 'leading', 'channel closed']);
});

test('capture`s own user can take over, and is no proxy', () => {
  const { open, events } = setUp();
  const successor = open(ownUid);
  successor.say(takeOver);
  expect(events).toEqual(['handing over', 'end']);
  successor.say({ type: 'taken' });
  successor.handlers?.onClose(undefined);
  expect(events).toEqual(['handing over', 'end', 'path let go', 'channel closed', 'replaced']);
  const other = setUp();
  other.open(ownUid).say(hello);
  expect(other.events).toEqual(['channel closed']);
});

test('a successor that leaves before it has everything changes nothing', () => {
  const { open, events } = setUp();
  const successor = open(ownUid);
  successor.say(takeOver);
  successor.handlers?.onClose(undefined);
  expect(events).toEqual(['handing over', 'end', 'kept']);
});

test('the descriptor of a process that never greeted is closed with its connection', () => {
  const { open, events } = setUp();
  const peer = open(proxyUid);
  peer.say({ type: 'counters' });
  peer.handlers?.onClose(undefined);
  expect(events).toEqual(['refused', 'closed 70']);
});

test('a proxy whose process cannot be watched is served all the same', () => {
  const { open, events, watch } = setUp(() => {
    throw new Error('no such process');
  });
  const proxy = open(proxyUid);
  proxy.say(hello);
  expect([events, watch.kind]).toEqual([['welcome', 'leading'], 'present']);
  proxy.handlers?.onClose(undefined);
  expect(watch.kind).toBe('leaving');
});

test('a successor gets the secrets of the vault, and the proxy`s user never does by that way', () => {
  const { open, events, vault } = setUp();
  vault.put('uid-1', 'c2VjcmV0');
  open(proxyUid).say(takeOver);
  expect(events).toEqual(['channel closed']);
  open(ownUid).say(takeOver);
  expect(events).toEqual(['channel closed', 'handing over', 'secrets', 'end']);
});

test('what a proxy asks while a successor takes everything up is answered once the successor has left without', () => {
  const { open, events } = setUp();
  const successor = open(ownUid);
  successor.say(takeOver);
  open(proxyUid).say(hello);
  expect(events).toEqual(['handing over', 'end']);
  successor.handlers?.onClose(undefined);
  expect(events).toEqual(['handing over', 'end', 'kept', 'welcome', 'leading']);
});

test('a capture that stands by is called when this one ends, and nobody where none does', () => {
  const { open, events, server } = setUp();
  expect(server.callSuccessor()).toBe(false);
  const waiting = open(ownUid);
  waiting.say({ type: 'stand-by' });
  expect([server.callSuccessor(), events]).toEqual([true, ['come']]);
  waiting.handlers?.onClose(undefined);
  expect(server.callSuccessor()).toBe(false);
});
