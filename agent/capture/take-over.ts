/**
 * Capture's own upgrade: the running capture hands namespaces and listeners to its successor over the same Unix socket,
 * so that no listener is ever closed. The successor asks, gets one packet per pod (descriptors: the namespace, then the
 * listeners), one per secret of the vault, and a last one, and says that it has them all; only then the predecessor lets go of the socket and ends. A
 * successor that fails before leaves everything as it was.
 */
import type { Channel, ChannelFunctions } from '../../native/channel.js';
import { maxSecretLength } from '../handover/messages.js';
import { readEnrolment } from '../handover/parse-proxy-message.js';
import { Field } from '../handover/read-fields.js';
import type { HeldPod } from './enrolment-register.js';
import type { VaultEntry } from './vault.js';

const protocol = 2;
const request = JSON.stringify({ type: 'take-over', protocol });
const end = JSON.stringify({ type: 'end' });
const taken = JSON.stringify({ type: 'taken' });

/** Whether a peer's first packet asks for a take-over by a capture of this version. */
export function isTakeOver(packet: Uint8Array): boolean {
  return Buffer.from(packet).toString() === request;
}

/** Whether the successor says that it has everything. */
export function isTaken(packet: Uint8Array): boolean {
  return Buffer.from(packet).toString() === taken;
}

/** Sends everything; the descriptors stay this process's. */
export function handOver(channel: Channel, pods: readonly HeldPod[], secrets: readonly VaultEntry[]): void {
  for (const { enrolment, cookie, netns, listeners } of pods) {
    const message = {
      type: 'pod',
      enrolment,
      cookie: cookie.toString(16),
      listeners: listeners.map(({ direction, family, port }) => ({ direction, family, port })),
    };
    channel.send(Buffer.from(JSON.stringify(message)), [netns, ...listeners.map((one) => one.descriptor)]);
  }
  for (const { workload, secret } of secrets) {
    channel.send(Buffer.from(JSON.stringify({ type: 'secret', workload, secret })));
  }
  channel.send(Buffer.from(end));
}

/** What a predecessor handed over. */
export interface TakenOver {
  readonly pods: readonly HeldPod[];
  readonly secrets: readonly VaultEntry[];
}

/** Asks the capture at `socket` for all it holds; the descriptors are the caller's. Rejects where it does not hand over. */
export function takeOver(
  functions: Pick<ChannelFunctions, 'connectChannel'>,
  socket: string,
): Promise<TakenOver> {
  return new Promise((resolve, reject) => {
    const pods: HeldPod[] = [];
    const secrets: VaultEntry[] = [];
    let ended = false;
    const channel = functions.connectChannel(socket, {
      onMessage: (packet, descriptors) => {
        try {
          const part = readPart(packet, descriptors);
          if (part.type === 'pod') pods.push(part.pod);
          else if (part.type === 'secret') secrets.push(part.entry);
          else {
            ended = true;
            channel.send(Buffer.from(taken));
          }
        } catch (error) {
          reject(new Error(`capture at ${socket} hands over what is not understood`, { cause: error }));
          channel.close();
        }
      },
      // The predecessor closes when it has let go of the socket's path.
      onClose: () => {
        if (ended) resolve({ pods, secrets });
        else reject(new Error(`capture at ${socket} does not hand over; is it of another version?`));
      },
    });
    channel.send(Buffer.from(request));
  });
}

type Part =
  | { readonly type: 'pod'; readonly pod: HeldPod }
  | { readonly type: 'secret'; readonly entry: VaultEntry }
  | { readonly type: 'end' };

function readPart(packet: Buffer, descriptors: readonly number[]): Part {
  const message = Field.parse(packet);
  const type = new Field('type', message.tag('type')).oneOf(['pod', 'secret', 'end']);
  switch (type) {
    case 'pod':
      return { type, pod: readPod(message, descriptors) };
    case 'secret': {
      const { workload, secret } = message.secretObject(['type', 'workload', 'secret']);
      return { type, entry: { workload: workload.string(253), secret: secret.secret(maxSecretLength) } };
    }
    case 'end':
      return { type };
  }
}

function readPod(message: Field, descriptors: readonly number[]): HeldPod {
  const parts = message.object(['type', 'enrolment', 'cookie', 'listeners']);
  const [netns, ...sockets] = descriptors;
  const listeners = parts.listeners.array(64, (item) => {
    const { direction, family, port } = item.object(['direction', 'family', 'port']);
    return {
      direction: direction.oneOf(['outbound', 'inbound']),
      family: family.oneOf([4, 6]),
      port: port.integer(1, 65_535),
    };
  });
  if (netns === undefined || sockets.length !== listeners.length) throw new Error('descriptors are missing');
  return {
    enrolment: readEnrolment(parts.enrolment),
    cookie: BigInt(`0x${parts.cookie.string(16)}`),
    netns,
    listeners: listeners.map((listener, at) => ({ ...listener, descriptor: sockets[at] as number })),
  };
}
