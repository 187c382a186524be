/**
 * Runs inside a namespace: `hold-connections.js ADDRESS PORT COUNT` opens connections, sends one request on each, reads
 * its answer, says so on standard output and holds them idle until standard input ends.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { hosts } from './rules.js';

const [address = '', portText = '', countText = ''] = process.argv.slice(2);
const atOnce = 50;
const request = `GET /p1/items/1 HTTP/1.1\r\nHost: ${hosts[0]}\r\n\r\n`;

async function open(): Promise<Socket> {
  const socket = connect(Number(portText), address);
  await once(socket, 'connect');
  socket.write(request);
  let answer = '';
  while (!answer.endsWith('www')) {
    const [part] = (await once(socket, 'data')) as [Buffer];
    answer += part.toString('latin1');
  }
  if (!answer.startsWith('HTTP/1.1 200')) throw new Error(`answered ${answer.slice(0, 80)}`);
  socket.on('close', () => {
    process.stderr.write('a held connection was closed\n');
    process.exit(1);
  });
  return socket;
}

const held: Socket[] = [];
while (held.length < Number(countText))
  held.push(...(await Promise.all(Array.from({ length: atOnce }, open))));
process.stdout.write('held\n');
process.stdin.resume();
await once(process.stdin, 'end');
process.exit(0);
