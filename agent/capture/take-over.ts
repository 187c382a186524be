/**
 * Capture's own upgrade: the running capture hands namespaces and listeners to its successor over the same Unix socket,
 * so that no listener is ever closed. The successor asks, gets one packet per pod (descriptors: the namespace, then the
 * listeners), the vault's secrets in as few packets as hold them, and a last one, and says that it has them all; only then
 * the predecessor lets go of the socket and ends. A successor that fails before leaves everything as it was.
 */
import type { Channel, ChannelFunctions } from '../../native/channel.js';
import { maxMessageBytes, maxSecretLength } from '../handover/messages.js';
import { readEnrolment } from '../handover/parse-proxy-message.js';
import { Field } from '../handover/read-fields.js';
import type { HeldPod } from './enrolment-register.js';
import type { VaultEntry } from './vault.js';

const protocol = 3;
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
export function handOver(channel: Channel, { pods, held, secrets }: TakenOver): void {
  for (const { enrolment, cookie, netns, listeners } of pods) {
    const message = {
      type: 'pod',
      enrolment,
      cookie: cookie.toString(16),
      held: held.has(enrolment.workload),
      listeners: listeners.map(({ direction, family, port }) => ({ direction, family, port })),
    };
    channel.send(Buffer.from(JSON.stringify(message)), [netns, ...listeners.map((one) => one.descriptor)]);
  }
  for (const entries of batch(secrets)) {
    channel.send(Buffer.from(JSON.stringify({ type: 'secrets', entries })));
  }
  channel.send(Buffer.from(end));
}

/** Few packets: a channel queues no more than a thousand, and the pods need theirs. */
function batch(secrets: readonly VaultEntry[]): VaultEntry[][] {
  const batches: VaultEntry[][] = [];
  let room = 0;
  for (const entry of secrets) {
    // Names are short and secrets plain ASCII; quotes and field names are in the allowance.
    const bytes = entry.secret.length + Buffer.byteLength(JSON.stringify(entry.workload)) + 64;
    if (bytes > room) {
      batches.push([]);
      room = maxMessageBytes - 1024;
    }
    batches.at(-1)?.push(entry);
    room -= bytes;
  }
  return batches;
}

/** What a predecessor handed over. */
export interface TakenOver {
  readonly pods: readonly HeldPod[];
  /** Those of the pods that no proxy has enrolled yet. */
  readonly held: ReadonlySet<string>;
  readonly secrets: readonly VaultEntry[];
}

/** Asks the capture at `socket` for all it holds; the descriptors are the caller's. Rejects where it does not hand over. */
export function takeOver(
  functions: Pick<ChannelFunctions, 'connectChannel'>,
  socket: string,
): Promise<TakenOver> {
  return new Promise((resolve, reject) => {
    const pods: HeldPod[] = [];
    const held = new Set<string>();
    const secrets: VaultEntry[] = [];
    let ended = false;
    const channel = functions.connectChannel(socket, {
      onMessage: (packet, descriptors) => {
        try {
          const part = readPart(packet, descriptors);
          if (part.type === 'pod') {
            pods.push(part.pod);
            if (part.held) held.add(part.pod.enrolment.workload);
          } else if (part.type === 'secrets') secrets.push(...part.entries);
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
        if (ended) resolve({ pods, held, secrets });
        else reject(new Error(`capture at ${socket} does not hand over; is it of another version?`));
      },
    });
    channel.send(Buffer.from(request));
  });
}

/** More entries than this do not fit a packet. */
const maxBatch = 2048;

type Part =
  | { readonly type: 'pod'; readonly pod: HeldPod; readonly held: boolean }
  | { readonly type: 'secrets'; readonly entries: readonly VaultEntry[] }
  | { readonly type: 'end' };

function readPart(packet: Buffer, descriptors: readonly number[]): Part {
  const message = Field.parse(packet);
  const type = new Field('type', message.tag('type')).oneOf(['pod', 'secrets', 'end']);
  switch (type) {
    case 'pod':
      return { type, ...readPod(message, descriptors) };
    case 'secrets':
      return { type, entries: message.secretObject(['type', 'entries']).entries.array(maxBatch, readSecret) };
    case 'end':
      return { type };
  }
}

function readSecret(item: Field): VaultEntry {
  const { workload, secret } = item.secretObject(['workload', 'secret']);
  return { workload: workload.string(253), secret: secret.secret(maxSecretLength) };
}

function readPod(message: Field, descriptors: readonly number[]): { pod: HeldPod; held: boolean } {
  const parts = message.object(['type', 'enrolment', 'cookie', 'held', 'listeners']);
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
  const pod = {
    enrolment: readEnrolment(parts.enrolment),
    cookie: BigInt(`0x${parts.cookie.string(16)}`),
    netns,
    listeners: listeners.map((listener, at) => ({ ...listener, descriptor: sockets[at] as number })),
  };
  return { pod, held: parts.held.boolean() };
}
