/**
 * `node dist/test/bench/handshake.js`: what a handshake of mutual TLS costs, full and resumed: two engines in one thread, an
 * opaque connection after the other from a client through both to an echo, `--side-by-side=8` of them at a time.
 * `--connections=4000` of each kind a round, `--rounds=3`. Prints the CPU time of both handshakes of a connection beyond that of
 * the same connection in plaintext, the least of all rounds: what else runs on the machine only adds.
 */
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { TestAuthority } from '../../native/certificates-under-test.js';
import { Action, Direction, RowKind } from '../../native/engine.js';
import { EngineUnderTest } from '../../native/engine-under-test.js';
import { loadEngine } from '../../native/load-engine.js';

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '4000' },
    rounds: { type: 'string', default: '3' },
    'side-by-side': { type: 'string', default: '8' },
  },
});

const kinds = ['plaintext', 'full', 'resumed'] as const;
type Kind = (typeof kinds)[number];

const shop = 'spiffe://mesh.example/ns/shop/sa/shop';
const cart = 'spiffe://mesh.example/ns/shop/sa/cart';

interface Pair {
  /** Beside the client, and beside the echo. */
  readonly near: EngineUnderTest;
  readonly far: EngineUnderTest;
  readonly close: () => void;
}

async function startPair(): Promise<Pair> {
  const addon = loadEngine();
  const authority = new TestAuthority();
  const echo = net.createServer((socket) => socket.on('error', () => socket.destroy()).pipe(socket));
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  const far = await EngineUnderTest.start(addon);
  const near = await EngineUnderTest.start(addon);
  const inbound = await far.listen(1, Direction.inbound);
  far.engine.setIdentity(1, authority.identity(cart));
  near.engine.setIdentity(1, authority.identity(shop));
  far.serve((echo.address() as AddressInfo).port);
  const place = { address: '127.0.0.1', port: inbound, destination: 1, generation: 0 };
  near.engine.setEndpoint(1, { ...place, transport: 'plaintext', identity: '' });
  near.engine.setEndpoint(2, { ...place, transport: 'tls', identity: cart });
  const close = () => {
    for (const each of [near, far, authority, echo]) each.close();
  };
  return { near, far, close };
}

function follow({ near, far }: Pair, kind: Kind): void {
  near.decide = (row) => {
    near.tunnel(row);
    near.engine.verdicts.endpoint[row] = kind === 'plaintext' ? 1 : 2;
  };
  far.decide = (row) => {
    far.tunnel(row);
    if (kind !== 'plaintext' && far.engine.rows.kind[row] === RowKind.connection)
      far.engine.verdicts.action[row] = Action.secure;
  };
}

async function connectOnce({ near }: Pair, kind: Kind): Promise<void> {
  if (kind === 'full') near.engine.forgetTickets();
  const socket = net.connect({ host: '127.0.0.1', port: near.port, noDelay: true });
  socket.end('x');
  socket.resume();
  await once(socket, 'close');
}

/** Microseconds of CPU time for a connection; throws where the handshakes were of another kind. */
async function measure(pair: Pair, kind: Kind, connections: number, sideBySide: number): Promise<number> {
  follow(pair, kind);
  const passMany = async (count: number) => {
    let left = count;
    const lane = async () => {
      for (; left > 0; ) {
        left -= 1;
        await connectOnce(pair, kind);
      }
    };
    await Promise.all(Array.from({ length: sideBySide }, lane));
  };
  await passMany(200);
  const before = pair.far.engine.stats();
  const start = process.cpuUsage();
  await passMany(connections);
  const { user, system } = process.cpuUsage(start);
  const after = pair.far.engine.stats();
  const resumed = after.resumedAsServer - before.resumedAsServer;
  const all = after.serverHandshakes - before.serverHandshakes;
  if (all !== (kind === 'plaintext' ? 0 : connections) || resumed !== (kind === 'resumed' ? connections : 0))
    throw new Error(`${kind}: ${all} handshakes of ${connections}, and ${resumed} were resumed`);
  return (user + system) / connections;
}

const [connections, rounds, sideBySide] = [values.connections, values.rounds, values['side-by-side']].map(
  Number,
) as [number, number, number];
const pair = await startPair();
const least = new Map<Kind, number>();
for (let round = 0; round < rounds; round += 1) {
  for (const kind of kinds) {
    const us = await measure(pair, kind, connections, sideBySide);
    least.set(kind, Math.min(least.get(kind) ?? us, us));
  }
}
pair.close();
const plain = least.get('plaintext') ?? 0;
const beyond = (kind: Kind) => (least.get(kind) ?? 0) - plain;
process.stdout.write(`a connection in plaintext ${plain.toFixed(1)} µs; both handshakes, beyond that:\n`);
for (const kind of ['full', 'resumed'] as const) {
  const share = ((100 * beyond(kind)) / beyond('full')).toFixed(0);
  process.stdout.write(
    `${kind.padEnd(8)} ${beyond(kind).toFixed(1).padStart(8)} µs  ${share.padStart(3)}%\n`,
  );
}
