import { GrpcClient } from '../../netns/harness/grpc.js';
import { parseMetrics, sumSamples } from '../../netns/harness/metrics.js';
import { type Demo, showCommand, showWeft } from '../demo.js';

/** What is sent between the nodes here and must not be seen there. */
const markers = { http: 'marker-in-a-request', redis: 'marker-in-redis', grpc: 'marker-in-a-call' };
/** The application's own ports: the catalogue's and cart's, redis', the feed's, the echo's. */
const appPorts = [2525, 6379, 8080, 8765, 9090];
const tls13 = '0x0304';

/** Step 2: the bytes between the nodes, by a program that weft did not write. */
export async function watchWire(demo: Demo): Promise<void> {
  const { lab, narrator, wire } = demo;
  const ask = ['curl', '-sS', `http://10.97.0.20/cart?secret=${markers.http}`];
  const answer = await showCommand(demo, 'web', ask);
  narrator.check('the cart on node-b reads the request', answer.stdout.includes(markers.http));
  await showCommand(demo, 'web', ['redis-cli', '-h', '10.97.0.40', 'set', 'secret', markers.redis]);
  const client = new GrpcClient(lab.pod('web'), '10.97.0.60:9090', 'grpc-js');
  const said = await client.ask({ op: 'say', text: markers.grpc });
  await client.close();
  narrator.check('a gRPC call, HTTP and redis went to node-b', said.codes.OK === 1, JSON.stringify(said));
  await wire.stop();

  narrator.command(`tshark -r ${wire.file}   # node-a's end of the link to node-b`);
  const hellos = [...(await wire.hellos('client', appPorts)), ...(await wire.hellos('server', appPorts))];
  const rows = hellos.map(({ source, destination, destinationPort, versions, protocols }) =>
    [`${source} > ${destination} port ${destinationPort}`.padEnd(40), versions.join(), protocols.join()].join(
      '  ',
    ),
  );
  narrator.seen([...new Set(rows)].sort().join('\n'));
  const web = lab.pod('web');
  for (const [name, port] of Object.entries({ cart: 8080, stock: 6379, echo: 9090 })) {
    const { ipv4, ipv6 } = lab.pod(name);
    const opened = [...(await wire.openedPorts(web.ipv4, ipv4)), ...(await wire.openedPorts(web.ipv6, ipv6))];
    narrator.check(
      `from web to ${name}: port ${port}, as the app asked`,
      opened.join() === `${port}`,
      opened.join(),
    );
  }
  narrator.check(
    'TLS 1.3 and nothing older, in every handshake',
    hellos.length > 0 &&
      hellos.every(({ versions }) => versions.includes(tls13) && versions.every((one) => one === tls13)),
    JSON.stringify(hellos),
  );
  const plain = await wire.plainSegments(appPorts);
  narrator.check('no segment that is no TLS', plain.length === 0, plain[0] ?? '');
  const seen = Object.values(markers).filter((marker) => wire.holds(marker));
  narrator.check('and none of the three markers is in what was captured', seen.length === 0, seen.join());
  await showEncryption(demo);
}

async function showEncryption(demo: Demo): Promise<void> {
  const { narrator, weft, second } = demo;
  const edges = await showWeft(demo, 'edges');
  const carts = edges.stdout.split('\n').filter((line) => line.includes('shop/cart'));
  narrator.check(
    'weft edges: web speaks TLS to the cart, and nobody plaintext',
    carts.length > 0 && !edges.stdout.includes('plaintext'),
  );
  const certificates = await showWeft({ narrator, weft: second }, 'certificates');
  narrator.check("weft certificates: node-b's pods can prove who they are", certificates.code === 0);
  narrator.check(
    'and so can node-b itself',
    /^weft\/node .*\/weft\/node\/node-b .*ready/m.test(certificates.stdout),
  );
  const samples = await parseMetrics(await weft.metricsText());
  const reached = sumSamples(samples, 'weft_refusals_total', { reason: 'plaintext_refused' });
  narrator.check('and nothing was refused for speaking plaintext', reached === 0, String(reached));
}
