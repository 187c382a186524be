import { fixture, python } from '../../netns/harness/services.js';
import { type Demo, showCommand } from '../demo.js';

/** Step 5: WebSocket, plain TCP, a server that speaks first, IPv6. */
export async function carryProtocols(demo: Demo): Promise<void> {
  const { narrator } = demo;
  const talk = [python, fixture('websocket-client.py'), 'ws://10.97.0.50/', '5', '70000'];
  const socket = await showCommand(demo, 'web', talk, {
    as: 'python3 websocket-client.py ws://10.97.0.50/ 5 70000',
  });
  narrator.check(
    'WebSocket: greeted, and both messages came back',
    socket.stdout.includes('"echoed": [5, 70000]'),
  );

  await showCommand(demo, 'web', ['redis-cli', '-h', '10.97.0.40', 'set', 'apples', '12']);
  const apples = await showCommand(demo, 'web', ['redis-cli', '-h', '10.97.0.40', 'get', 'apples']);
  narrator.check('plain TCP: redis keeps what was set', apples.stdout === '12\n', apples.stdout);

  const notices = await showCommand(
    demo,
    'web',
    [python, fixture('half-close.py'), 'client', '10.97.0.51', '2525'],
    {
      as: 'python3 half-close.py client 10.97.0.51 2525',
    },
  );
  narrator.check(
    'a server that speaks first; half-close keeps the other direction open',
    notices.stdout.includes('220 notices ready') && notices.stdout.includes('221 6 bytes'),
  );

  const six = await showCommand(demo, 'web', ['curl', '-sS', '-g', 'http://[fd97::1e]/hello.txt']);
  narrator.check(
    'IPv6: a virtual address, a server that listens on IPv6',
    six.stdout === 'hello from a file\n',
  );
  const line = demo.shop
    .service('static')
    .process.stderr.split('\n')
    .filter((entry) => entry.includes('GET /hello'))
    .at(-1);
  narrator.seen(line ?? '(no line in the log)');
  narrator.check(
    "the server's log names the client's IPv6 address",
    line?.startsWith(demo.lab.pod('web').ipv6) ?? false,
  );
}
