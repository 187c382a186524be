/** What the proxy sends, parsed once at capture's border. */
import {
  type Enrolment,
  type KernelRules,
  maxDescriptors,
  maxNamespacesPerPacket,
  maxRuleEntries,
  maxSecretLength,
  type ProxyMessage,
  proxyMessageTypes,
  proxyStandings,
} from './messages.js';
import { Field } from './read-fields.js';

const maxGroup = 0xffff_ffff;
const maxPort = 65_535;

/** Throws MalformedMessage. */
export function parseProxyMessage(packet: Uint8Array): ProxyMessage {
  const message = Field.parse(packet);
  const type = new Field('type', message.tag('type')).oneOf(proxyMessageTypes);
  switch (type) {
    case 'hello': {
      const { protocol, standing } = message.object(['type', 'protocol', 'standing']);
      // Of an older version it is not understood, and told so by the version's number.
      const known = standing.value === undefined ? 'fresh' : standing.oneOf(proxyStandings);
      return { type, protocol: protocol.integer(0, 1e6), standing: known };
    }
    case 'claim-lead':
    case 'resign-lead':
      message.object(['type']);
      return { type };
    case 'enrol':
      return { type, enrolment: readEnrolment(message.object(['type', 'enrolment']).enrolment) };
    case 'withdraw':
      return { type, workload: readWorkload(message.object(['type', 'workload']).workload) };
    case 'sockets': {
      const { workload, family, count } = message.object(['type', 'workload', 'family', 'count']);
      return {
        type,
        workload: readWorkload(workload),
        family: family.oneOf([4, 6]),
        count: count.integer(1, maxDescriptors),
      };
    }
    case 'kernel-rules': {
      const { rules, more } = message.object(['type', 'rules', 'more']);
      return { type, rules: readRules(rules), more: more.value === undefined ? false : more.boolean() };
    }
    case 'counters':
      message.object(['type']);
      return { type };
    case 'hold': {
      const { namespaces, more } = message.object(['type', 'namespaces', 'more']);
      const names = namespaces.array(maxNamespacesPerPacket, (item) => item.string(63));
      return { type, namespaces: names, more: more.boolean() };
    }
    case 'vault-put': {
      const { workload, secret } = message.secretObject(['type', 'workload', 'secret']);
      return { type, workload: readWorkload(workload), secret: secret.secret(maxSecretLength) };
    }
    case 'vault-get':
    case 'vault-drop':
      return { type, workload: readWorkload(message.object(['type', 'workload']).workload) };
  }
}

function readWorkload(field: Field): string {
  return field.string(253);
}

/** Throws MalformedMessage. */
export function readEnrolment(field: Field): Enrolment {
  const parts = field.object(['workload', 'netns', 'addresses', 'failMode', 'udp', 'probePorts', 'group']);
  return {
    workload: readWorkload(parts.workload),
    netns: parts.netns.value === '' ? '' : parts.netns.string(255),
    addresses: parts.addresses.array(16, (address) => address.address()),
    failMode: parts.failMode.oneOf(['closed', 'open']),
    udp: parts.udp.oneOf(['allow', 'deny']),
    probePorts: parts.probePorts.array(64, (port) => port.integer(1, maxPort)),
    group: parts.group.integer(0, maxGroup),
  };
}

function readRules(field: Field): KernelRules {
  const parts = field.object(['destinations', 'rules']);
  return {
    destinations: parts.destinations.array(maxRuleEntries, (entry) => {
      const { cidr, action, group } = entry.object(['cidr', 'action', 'group']);
      return {
        cidr: cidr.cidr(),
        action: action.oneOf(['direct', 'deny', 'proxy']),
        group: group.integer(0, maxGroup),
      };
    }),
    rules: parts.rules.array(maxRuleEntries, (entry) => {
      const { source, destination, port, verdict } = entry.object([
        'source',
        'destination',
        'port',
        'verdict',
      ]);
      return {
        source: source.integer(0, maxGroup),
        destination: destination.integer(1, maxGroup),
        port: port.integer(0, maxPort),
        verdict: verdict.oneOf(['allow', 'deny']),
      };
    }),
  };
}
