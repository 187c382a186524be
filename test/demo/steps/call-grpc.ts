import { GrpcClient, type GrpcCommand } from '../../netns/harness/grpc.js';
import type { Demo } from '../demo.js';

const target = '10.97.0.60:9090';
const kib = 1024;

/** Step 6: gRPC of all four kinds from node-a to node-b, both ends by grpc-js; one method refused. */
export async function callGrpc(demo: Demo): Promise<void> {
  const { lab, narrator } = demo;
  const web = new GrpcClient(lab.pod('web'), target, 'grpc-js');
  const call = async (client: GrpcClient, pod: string, command: GrpcCommand) => {
    const { op, ...rest } = command;
    narrator.command(
      `ip netns exec ${lab.pod(pod).netns} grpc-client ${target} ${op} ${JSON.stringify(rest)}`,
    );
    const result = await client.ask(command);
    narrator.seen(JSON.stringify(result));
    return result;
  };
  const unary = await call(web, 'web', { op: 'say', n: 20, text: 'good day' });
  narrator.check('unary: twenty calls', unary.codes.OK === 20, JSON.stringify(unary));
  const down = await call(web, 'web', { op: 'count', n: 200, bytes: 16 * kib });
  narrator.check('a stream of answers: 200 of 16 KiB', down.messages === 200 && down.code === 'OK');
  const up = await call(web, 'web', { op: 'sum', n: 200, bytes: 16 * kib });
  narrator.check('a stream of requests: 3.1 MiB came', up.messages === 200 && up.bytes === 200 * 16 * kib);
  const both = await call(web, 'web', { op: 'chat', n: 50, bytes: kib, lockstep: true });
  narrator.check('both ways, message by message', both.messages === 50 && both.equal && both.code === 'OK');
  await web.close();

  const batch = new GrpcClient(lab.pod('batch'), target, 'grpc-js');
  const allowed = await call(batch, 'batch', { op: 'say', text: 'may I' });
  narrator.check('batch may call Say', allowed.codes.OK === 1, JSON.stringify(allowed));
  const refused = await call(batch, 'batch', { op: 'chat', n: 1 });
  narrator.check(
    'and not Chat: PERMISSION_DENIED',
    refused.code === 'PERMISSION_DENIED',
    JSON.stringify(refused),
  );
  await batch.close();
}
