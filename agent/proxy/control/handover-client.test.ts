import type { Channel, ChannelHandlers } from '../../../native/channel.js';
import type { CaptureMessage } from '../../handover/messages.js';
import { HandoverClient, type HandoverEvents } from './handover-client.js';
import { PausedTimers } from './paused-timers.js';

function harness() {
  const timers = new PausedTimers();
  const sent: string[] = [];
  const seen: string[] = [];
  const closed: number[] = [];
  const state = { listening: true, handlers: undefined as ChannelHandlers | undefined };
  const channel: Channel = {
    peer: { pid: 1, uid: 0, gid: 0 },
    send: (message) => {
      const { type, standing } = JSON.parse(Buffer.from(message).toString());
      sent.push(standing === undefined || standing === 'fresh' ? type : `${type} ${standing}`);
    },
    close: () => state.handlers?.onClose(undefined),
  };
  const events: HandoverEvents = {
    onReady: (notesMap) => void seen.push(`ready ${notesMap}`),
    onLeading: ({ enrolled }) => void seen.push(`leading ${enrolled.join()}`),
    onSuperseded: () => void seen.push('superseded'),
    onHeld: (uid) => void seen.push(`held ${uid}`),
    onLost: () => void seen.push('lost'),
    onEnrolled: (workload, listeners, fds) =>
      void seen.push(`enrolled ${workload} ${listeners.length} ${fds}`),
    onWithdrawn: (workload) => void seen.push(`withdrawn ${workload}`),
    onSockets: (workload, family, fds) => void seen.push(`sockets ${workload} ${family} ${fds}`),
    onCounters: () => void seen.push('counters'),
    onRulesApplied: () => void seen.push('rules'),
    onSecret: (workload, secret) => void seen.push(`secret ${workload} ${secret}`),
    onVaultAnswered: () => void seen.push('vault answered'),
    onRefused: (request, workload) => void seen.push(`refused ${request} ${workload}`),
  };
  const client = new HandoverClient(
    {
      connect: (handlers) => {
        if (!state.listening) throw new Error('ECONNREFUSED');
        state.handlers = handlers;
        return channel;
      },
      parse: (packet) => JSON.parse(packet.toString()),
      closeDescriptor: (descriptor) => void closed.push(descriptor),
      timers,
      log: () => {},
    },
    events,
  );
  const say = (message: CaptureMessage | string, descriptors: number[] = []) =>
    state.handlers?.onMessage(
      Buffer.from(typeof message === 'string' ? message : JSON.stringify(message)),
      descriptors,
    );
  const welcome = (fd: number) => say({ type: 'welcome', protocol: 3 }, [fd]);
  return { client, timers, sent, seen, closed, state, say, welcome };
}

test('it greets first, and sends nothing else before the welcome', () => {
  const { client, sent, seen, welcome } = harness();
  client.start();
  client.withdraw('a');
  expect(sent).toEqual(['hello']);
  welcome(7);
  client.withdraw('a');
  expect(sent).toEqual(['hello', 'withdraw']);
  expect(seen).toEqual(['ready 7']);
});

test('it keeps trying while capture is away and greets again when it is back', () => {
  const { client, timers, state, sent, seen, welcome } = harness();
  state.listening = false;
  client.start();
  timers.advance(1000);
  expect(sent).toEqual([]);
  state.listening = true;
  timers.advance(200);
  welcome(7);
  state.handlers?.onClose(new Error('gone'));
  expect(client.ready).toBe(false);
  timers.advance(200);
  welcome(8);
  expect(sent).toEqual(['hello', 'hello']);
  expect(seen).toEqual(['ready 7', 'lost', 'ready 8']);
});

test('descriptors of a message that is not understood are closed', () => {
  const { client, closed, say, welcome } = harness();
  client.start();
  welcome(7);
  say('{"type"', [3, 4]);
  expect(closed).toEqual([3, 4]);
});

test('a second welcome is not taken and its descriptor is closed', () => {
  const { client, closed, seen, welcome } = harness();
  client.start();
  welcome(7);
  welcome(9);
  expect(closed).toEqual([9]);
  expect(seen).toHaveLength(1);
});

test('each answer reaches its event with its descriptors', () => {
  const { client, seen, say, welcome } = harness();
  client.start();
  welcome(7);
  say({ type: 'enrolled', workload: 'u', listeners: [{ direction: 'outbound', family: 4 }] }, [11]);
  say({ type: 'sockets', workload: 'u', family: 6 }, [12, 13]);
  say({ type: 'withdrawn', workload: 'u' });
  say({ type: 'rules-applied' });
  say({ type: 'counters', refusals: {}, pods: [] });
  say({ type: 'vault-kept', workload: 'u' });
  say({ type: 'vault-entry', workload: 'u', secret: null });
  say({ type: 'refused', request: 'enrol', workload: 'u', message: 'no such namespace' });
  expect(seen.slice(1)).toEqual([
    'enrolled u 1 11',
    'sockets u 6 12,13',
    'withdrawn u',
    'rules',
    'counters',
    'vault answered',
    'secret u null',
    'vault answered',
    'refused enrol u',
  ]);
});

test('after close it does not come back', () => {
  const { client, timers, sent, welcome } = harness();
  client.start();
  welcome(7);
  client.close();
  timers.advance(10_000);
  expect(sent).toEqual(['hello']);
});

test('it claims the lead once the controller has answered, and again of a capture that comes later', () => {
  const { client, timers, state, sent, say, welcome } = harness();
  client.start();
  client.claimLead();
  welcome(7);
  client.claimLead();
  expect(sent).toEqual(['hello', 'claim-lead']);
  state.handlers?.onClose(undefined);
  timers.advance(1000);
  welcome(8);
  say({ type: 'leading', enrolled: [], held: [] });
  client.claimLead();
  expect(sent).toEqual(['hello', 'claim-lead', 'hello', 'claim-lead']);
});

test('a capture that comes anew is told how this proxy stands among those of its node', () => {
  const { client, timers, state, sent, seen, say, welcome } = harness();
  const again = (fd: number) => {
    state.handlers?.onClose(undefined);
    timers.advance(1000);
    welcome(fd);
  };
  client.start();
  welcome(7);
  say({ type: 'leading', enrolled: ['a'], held: [] });
  again(8);
  say({ type: 'superseded' });
  again(9);
  say({ type: 'leading', enrolled: ['a', 'b'], held: [] });
  client.resignLead();
  say({ type: 'leading', enrolled: ['a'], held: [] });
  again(10);
  expect(sent).toEqual(['hello', 'hello leading', 'hello superseded', 'resign-lead', 'hello draining']);
  expect(seen.filter((text) => !/^(ready|lost)/.test(text))).toEqual([
    'leading a',
    'superseded',
    'leading a,b',
  ]);
});
