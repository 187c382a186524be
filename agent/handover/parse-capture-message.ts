/** What capture sends, parsed once at the proxy's border. */
import {
  type CaptureMessage,
  type Listener,
  maxDescriptors,
  maxSecretLength,
  type PodCounters,
  proxyMessageTypes,
} from './messages.js';
import { Field, MalformedMessage } from './read-fields.js';

const maxWorkloads = 4096;
const maxCount = Number.MAX_SAFE_INTEGER;

/** `descriptors` is how many came with the packet. Throws MalformedMessage, also where that number is wrong. */
export function parseCaptureMessage(packet: Uint8Array, descriptors: number): CaptureMessage {
  const message = readMessage(Field.parse(packet));
  const [least, most] = descriptorBounds(message);
  if (descriptors < least || descriptors > most) {
    throw new MalformedMessage({
      field: 'descriptors',
      value: `${descriptors}`,
      message: `do not fit ${message.type}`,
      fix: least === most ? `exactly ${least}` : `${least} to ${most}`,
    });
  }
  return message;
}

function descriptorBounds(message: CaptureMessage): readonly [least: number, most: number] {
  switch (message.type) {
    case 'welcome':
      return [1, 1];
    case 'enrolled':
      return [message.listeners.length, message.listeners.length];
    case 'sockets':
      return [1, maxDescriptors];
    case 'leading':
    case 'superseded':
    case 'withdrawn':
    case 'held':
    case 'awaited':
    case 'hold-applied':
    case 'rules-applied':
    case 'counters':
    case 'vault-kept':
    case 'vault-entry':
    case 'vault-dropped':
    case 'refused':
      return [0, 0];
  }
}

function readMessage(message: Field): CaptureMessage {
  const type = new Field('type', message.tag('type')).oneOf([
    'welcome',
    'leading',
    'superseded',
    'enrolled',
    'withdrawn',
    'held',
    'awaited',
    'hold-applied',
    'sockets',
    'rules-applied',
    'counters',
    'vault-kept',
    'vault-entry',
    'vault-dropped',
    'refused',
  ]);
  switch (type) {
    case 'welcome':
      return { type, protocol: message.object(['type', 'protocol']).protocol.integer(0, 1e6) };
    case 'leading': {
      const { enrolled, held } = message.object(['type', 'enrolled', 'held']);
      return {
        type,
        enrolled: enrolled.array(maxWorkloads, readWorkload),
        held: held.array(maxWorkloads, readWorkload),
      };
    }
    case 'enrolled': {
      const { workload, listeners } = message.object(['type', 'workload', 'listeners']);
      return { type, workload: readWorkload(workload), listeners: listeners.array(64, readListener) };
    }
    case 'withdrawn':
    case 'held':
    case 'awaited':
      return { type, workload: readWorkload(message.object(['type', 'workload']).workload) };
    case 'sockets': {
      const { workload, family } = message.object(['type', 'workload', 'family']);
      return { type, workload: readWorkload(workload), family: family.oneOf([4, 6]) };
    }
    case 'superseded':
    case 'rules-applied':
    case 'hold-applied':
      message.object(['type']);
      return { type };
    case 'counters': {
      const { refusals, pods } = message.object(['type', 'refusals', 'pods']);
      return { type, refusals: readRefusals(refusals), pods: pods.array(maxWorkloads, readPodCounters) };
    }
    case 'vault-kept':
    case 'vault-dropped':
      return { type, workload: readWorkload(message.object(['type', 'workload']).workload) };
    case 'vault-entry': {
      const { workload, secret } = message.secretObject(['type', 'workload', 'secret']);
      const kept = secret.value === null ? null : secret.secret(maxSecretLength);
      return { type, workload: readWorkload(workload), secret: kept };
    }
    case 'refused':
      return readRefused(message);
  }
}

function readWorkload(field: Field): string {
  return field.string(253);
}

function readListener(field: Field): Listener {
  const { direction, family } = field.object(['direction', 'family']);
  return { direction: direction.oneOf(['outbound', 'inbound']), family: family.oneOf([4, 6]) };
}

function readRefusals(field: Field): Record<number, number> {
  const codes = typeof field.value === 'object' && field.value !== null ? Object.keys(field.value) : [];
  const counts = field.object(codes);
  return Object.fromEntries(
    codes.map((code) => [
      new Field(`${field.name} code`, Number(code)).integer(1, 63),
      (counts[code] as Field).integer(0, maxCount),
    ]),
  );
}

function readPodCounters(field: Field): PodCounters {
  const parts = field.object(['workload', 'steered', 'direct', 'arrived', 'passed']);
  return {
    workload: readWorkload(parts.workload),
    steered: parts.steered.integer(0, maxCount),
    direct: parts.direct.integer(0, maxCount),
    arrived: parts.arrived.integer(0, maxCount),
    passed: parts.passed.integer(0, maxCount),
  };
}

function readRefused(field: Field): CaptureMessage {
  const { request, workload, message } = field.object(['type', 'request', 'workload', 'message']);
  return {
    type: 'refused',
    request: request.oneOf(proxyMessageTypes),
    workload: workload.value === undefined ? undefined : readWorkload(workload),
    message: message.string(4096),
  };
}
