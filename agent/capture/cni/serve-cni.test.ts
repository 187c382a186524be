import type { Channel, ChannelHandlers } from '../../../native/channel.js';
import { CniServer } from './serve-cni.js';

const ask = {
  type: 'add',
  container: 'box-1',
  workload: 'uid-1',
  namespace: 'shop',
  pod: 'cart',
  netns: 'cni-1',
  addresses: ['10.0.0.1'],
};

function setUp(add: () => 'held' | 'outside' = () => 'held') {
  const waiting: (() => void)[] = [];
  let connect: ((channel: Channel) => ChannelHandlers | undefined) | undefined;
  const events: string[] = [];
  let taken = false;
  let retry = () => {};
  const server = new CniServer({
    functions: {
      listenChannel: (path, owner, onConnect) => {
        if (taken) throw new Error('EADDRINUSE');
        connect = onConnect;
        events.push(`listens at ${path} for ${owner}`);
        return { close: () => events.push('let go') };
      },
    },
    socket: '/run/weft/cni.sock',
    ownUid: 0,
    pods: {
      addNetwork: ({ uid, netns }) => {
        events.push(`add ${uid} ${netns}`);
        return add();
      },
      checkNetwork: () => 'missing',
      removeNetwork: (id) => void events.push(`del ${id}`),
    },
    closeDescriptor: (descriptor) => events.push(`closed ${descriptor}`),
    after: (_delayMs, call) => {
      retry = call;
      waiting.push(call);
      return { cancel: () => events.push('cancelled') };
    },
    log: (level) => void events.push(level),
  });
  const say = (uid: number, message: unknown, descriptors: number[] = []) => {
    const channel: Channel = {
      peer: { pid: 5, uid, gid: uid },
      send: (packet) => events.push(packet.toString()),
      close: () => events.push('closed'),
    };
    const handlers = connect?.(channel);
    handlers?.onMessage(Buffer.from(JSON.stringify(message)), descriptors);
    return handlers !== undefined;
  };
  const since = () => events.splice(0);
  return {
    server,
    say,
    since,
    waiting,
    occupy: (value: boolean) => (taken = value),
    retry: () => retry(),
  };
}

test('capture’s own user asks, and is answered once; another is refused', () => {
  const { server, say, since } = setUp();
  server.start();
  expect(since()).toEqual(['listens at /run/weft/cni.sock for 0']);
  say(0, ask);
  expect(since()).toEqual(['add uid-1 cni-1', '{"type":"held"}', 'closed']);
  say(0, { ...ask, type: 'check' });
  expect(since()).toEqual(['{"type":"missing"}', 'closed']);
  say(0, { type: 'del', container: 'box-1' });
  expect(since()).toEqual(['del box-1', '{"type":"outside"}', 'closed']);
  expect(say(65_532, ask)).toBe(false);
});

test('a pod that cannot be held fails with the reason, and so does what is no request', () => {
  const { server, say, since, waiting } = setUp(() => {
    throw new Error('too many');
  });
  server.start();
  say(0, ask);
  expect(since().at(-1)).toBe('add uid-1 cni-1');
  while (waiting.length > 0) waiting.shift()?.();
  const all = since();
  expect(all.filter((event) => event === 'error')).toHaveLength(1);
  expect(all.at(-2)).toBe('{"type":"refused","message":"too many"}');
  say(0, { ...ask, netns: '' }, [9]);
  expect(since()).toEqual([
    'closed 9',
    'error',
    expect.stringContaining('{"type":"refused","message":"netns'),
    'closed',
  ]);
});

test('a pod whose sandbox is not whole yet is held as soon as it is', () => {
  let whole = false;
  const { server, say, since, waiting } = setUp(() => {
    if (!whole) throw new Error('the loopback is down');
    return 'held';
  });
  server.start();
  say(0, ask);
  waiting.shift()?.();
  whole = true;
  waiting.shift()?.();
  expect(since().slice(-2)).toEqual(['{"type":"held"}', 'closed']);
});

test('a path that capture’s predecessor still holds is taken as soon as it lets go', () => {
  const { server, since, occupy, retry } = setUp();
  occupy(true);
  server.start();
  retry();
  expect(since()).toEqual(['warn']);
  occupy(false);
  retry();
  expect(since()).toEqual(['listens at /run/weft/cni.sock for 0']);
  server.close();
  expect(since()).toEqual(['cancelled', 'let go']);
});
