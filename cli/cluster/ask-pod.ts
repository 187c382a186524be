/**
 * Asks a page of a pod's loopback over a port-forward of the API server: a WebSocket whose first channel carries the
 * bytes of one TCP connection, and whose second says what went wrong.
 */
import { request } from 'node:http';
import { Duplex, PassThrough } from 'node:stream';
import { type KubeConfig, PortForward } from '@kubernetes/client-node';
import { CommandError } from '../usage-error.js';

export interface PodPort {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

const timeoutMs = 20_000;
/** The configuration of a large node, and more. */
const maxBodyBytes = 256 * 1024 * 1024;

/** The body of an answer with status 200 or 400. Throws CommandError with the likely cause. */
export async function askPod(config: KubeConfig, target: PodPort, path: string): Promise<string> {
  const tunnel = await openTunnel(config, target);
  try {
    return await ask(tunnel, target, path);
  } finally {
    tunnel.close();
  }
}

interface Tunnel {
  readonly stream: Duplex;
  /** What the kubelet said of it; empty where all is well. */
  readonly trouble: () => string;
  readonly close: () => void;
}

async function openTunnel(config: KubeConfig, target: PodPort): Promise<Tunnel> {
  const [output, errors, input] = [new PassThrough(), new PassThrough(), new PassThrough()];
  let trouble = '';
  const stream = Duplex.from({ readable: output, writable: input });
  stream.on('error', () => {});
  errors.on('data', (chunk: Buffer) => {
    trouble += chunk.toString('utf8');
    stream.destroy();
  });
  const forward = new PortForward(config, false);
  try {
    const socket = await forward.portForward(
      target.namespace,
      target.pod,
      [target.port],
      output,
      errors,
      input,
    );
    if (typeof socket === 'function') throw new Error('a port-forward that restarts was not asked for');
    socket.addEventListener('close', () => void output.end());
    return { stream, trouble: () => trouble.trim(), close: () => socket.close() };
  } catch (error) {
    throw explainRefusal(target, error);
  }
}

/** The library tells of a refused upgrade as an event whose message ends in the status. */
function explainRefusal({ namespace, pod }: PodPort, error: unknown): CommandError {
  const said = error instanceof Error ? error.message : ((error as { message?: string }).message ?? '');
  switch (/response: (\d{3})/.exec(said)?.[1]) {
    case '401':
    case '403':
      return new CommandError(
        `you may not get and create pods/portforward in namespace ${namespace}: ask for Role weft-viewer there ` +
          `(kubectl -n ${namespace} create rolebinding NAME --role=weft-viewer --user=YOU, or viewers in the chart)`,
      );
    case '404':
      return new CommandError(`the pod ${pod} is gone; try again`);
    default:
      return new CommandError(
        `no port-forward to ${namespace}/${pod}: ${said || 'the API server gave no reason'}`,
      );
  }
}

function ask(tunnel: Tunnel, { pod, port }: PodPort, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      const cause = tunnel.trouble() === '' ? error : new Error(tunnel.trouble());
      reject(new CommandError(`${pod} does not answer on its port ${port}`, { cause }));
    };
    const asked = request(
      {
        path,
        host: 'localhost',
        createConnection: () => tunnel.stream,
        signal: AbortSignal.timeout(timeoutMs),
      },
      (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > maxBodyBytes)
            asked.destroy(new Error(`its answer is longer than ${maxBodyBytes} bytes`));
          else chunks.push(chunk);
        });
        response.on('error', fail);
        response.on('end', () => {
          const body = Buffer.concat(chunks).toString('utf8');
          if (response.statusCode === 200 || response.statusCode === 400) resolve(body);
          else fail(new Error(`${path} was answered with ${response.statusCode}: ${body.trim()}`));
        });
      },
    );
    asked.on('error', fail);
    asked.end();
  });
}
