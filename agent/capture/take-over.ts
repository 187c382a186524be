/**
 * Capture's own upgrade: the running capture hands namespaces and listeners to its successor over the same Unix socket,
 * so that no listener is ever closed. The successor asks, gets one packet per pod (descriptors: the namespace, then the
 * listeners), the vault's secrets in as few packets as hold them, and a last one; it takes all of it up, and says that it
 * has it; only then the predecessor lets go of the socket. A successor that fails before leaves everything as it was.
 */
import type { Channel, ChannelFunctions } from '../../native/channel.js';
import { maxMessageBytes, maxSecretLength } from '../handover/messages.js';
import { readEnrolment } from '../handover/parse-proxy-message.js';
import { Field } from '../handover/read-fields.js';
import type { HeldPod } from './enrolment-register.js';
import type { VaultEntry } from './vault.js';

/** The predecessor speaks its own version; the successor says which ones it reads. */
const protocol = 4;
const readable: readonly number[] = [protocol];

/** What a capture says to the one that serves. */
type SuccessorMessage =
  /** Hand everything over. */
  | { readonly type: 'take-over'; readonly reads: readonly number[] }
  | { readonly type: 'taken' }
  /** Say when you end: I take over then. */
  | { readonly type: 'stand-by' };

/** Undefined where it is none of a capture's. */
export function readSuccessorMessage(packet: Uint8Array): SuccessorMessage | undefined {
  try {
    const message = Field.parse(packet);
    const type = new Field('type', message.tag('type')).oneOf(['take-over', 'taken', 'stand-by']);
    if (type !== 'take-over') return { type };
    const { reads } = message.object(['type', 'reads']);
    return { type, reads: reads.array(16, (item) => item.integer(0, 1e6)) };
  } catch {
    return undefined;
  }
}

const packetOf = (message: unknown) => Buffer.from(JSON.stringify(message));

/** The one that stands by shall take over now. */
export function callIn(channel: Channel): void {
  channel.send(packetOf({ type: 'come' }));
}

/** Sends everything; the descriptors stay this process's. False: the successor does not read this version. */
export function handOver(
  channel: Channel,
  reads: readonly number[],
  { pods, held, secrets, proxyGone }: TakenOver,
): boolean {
  if (!reads.includes(protocol)) {
    channel.send(packetOf({ type: 'refused', protocol }));
    return false;
  }
  for (const { enrolment, cookie, netns, listeners } of pods) {
    const message = {
      type: 'pod',
      enrolment,
      cookie: cookie.toString(16),
      held: held.has(enrolment.workload),
      listeners: listeners.map(({ direction, family, port }) => ({ direction, family, port })),
    };
    channel.send(packetOf(message), [netns, ...listeners.map((one) => one.descriptor)]);
  }
  for (const entries of batch(secrets)) channel.send(packetOf({ type: 'secrets', entries }));
  channel.send(packetOf({ type: 'end', proxyGone }));
  return true;
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
  /** No proxy has been there for longer than the grace: pods that ask for it are open. */
  readonly proxyGone: boolean;
}

/**
 * Asks the capture at `socket` for all it holds; the descriptors are the caller's. Where `takeUp` throws, the predecessor
 * keeps everything. Resolves once the predecessor has let go of the socket; rejects where it does not hand over.
 */
export function takeOver(
  functions: Pick<ChannelFunctions, 'connectChannel'>,
  socket: string,
  takeUp: (handed: TakenOver) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const pods: HeldPod[] = [];
    const held = new Set<string>();
    const secrets: VaultEntry[] = [];
    let taken = false;
    const channel = functions.connectChannel(socket, {
      onMessage: (packet, descriptors) => {
        try {
          const part = readPart(packet, descriptors);
          if (part.type === 'pod') {
            pods.push(part.pod);
            if (part.held) held.add(part.pod.enrolment.workload);
          } else if (part.type === 'secrets') secrets.push(...part.entries);
          else {
            takeUp({ pods, held, secrets, proxyGone: part.proxyGone });
            taken = true;
            channel.send(packetOf({ type: 'taken' }));
          }
        } catch (error) {
          reject(new Error(`capture at ${socket} cannot be taken over from; it serves on`, { cause: error }));
          channel.close();
        }
      },
      // The predecessor closes when it has let go of the socket's path.
      onClose: () => {
        if (taken) resolve();
        else reject(new Error(`capture at ${socket} does not hand over; is it of another version?`));
      },
    });
    channel.send(packetOf({ type: 'take-over', reads: readable } satisfies SuccessorMessage));
  });
}

/** Resolves once the capture at `socket` ends, or says that it is about to. Throws where nobody serves there. */
export function standBy(
  functions: Pick<ChannelFunctions, 'connectChannel'>,
  socket: string,
): Promise<'called' | 'left'> {
  const { promise, resolve } = Promise.withResolvers<'called' | 'left'>();
  const channel = functions.connectChannel(socket, {
    onMessage: () => resolve('called'),
    onClose: () => resolve('left'),
  });
  channel.send(packetOf({ type: 'stand-by' } satisfies SuccessorMessage));
  return promise;
}

/** More entries than this do not fit a packet. */
const maxBatch = 2048;

type Part =
  | { readonly type: 'pod'; readonly pod: HeldPod; readonly held: boolean }
  | { readonly type: 'secrets'; readonly entries: readonly VaultEntry[] }
  | { readonly type: 'end'; readonly proxyGone: boolean };

function readPart(packet: Buffer, descriptors: readonly number[]): Part {
  const message = Field.parse(packet);
  const type = new Field('type', message.tag('type')).oneOf(['pod', 'secrets', 'end', 'refused']);
  switch (type) {
    case 'pod':
      return { type, ...readPod(message, descriptors) };
    case 'secrets':
      return { type, entries: message.secretObject(['type', 'entries']).entries.array(maxBatch, readSecret) };
    case 'end':
      return { type, proxyGone: message.object(['type', 'proxyGone']).proxyGone.boolean() };
    case 'refused': {
      const spoken = message.object(['type', 'protocol']).protocol.integer(0, 1e6);
      throw new Error(`it hands over by version ${spoken}, and this one reads ${readable.join(', ')}`);
    }
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
