/** Authorization policies from their messages. What is absent never widens a rule: it is a problem. */
import type { AuthorizationPolicy, HttpAttributes, PolicyRule, PolicyTarget } from '../model/policy.js';
import { checkName, checkPort, checkText } from './check-values.js';
import type {
  ReceivedHttpAttributes,
  ReceivedPolicy,
  ReceivedPolicyRule,
  ReceivedPolicyTarget,
} from './messages.js';
import type { ProblemList } from './problem-list.js';

export function decodePolicy(message: ReceivedPolicy, problems: ProblemList): AuthorizationPolicy {
  const { requireAuthenticated, broken } = message;
  return {
    namespace: checkText(problems, 'policy.namespace', message.namespace),
    name: checkText(problems, 'policy.name', message.name),
    targets: message.targets.map((target, index) =>
      decodeTarget(target, `policy.targets[${index}]`, problems),
    ),
    action: checkName(problems, 'policy.action', message.action, ['ALLOW', 'DENY']),
    mode: checkName(problems, 'policy.mode', message.mode, ['Enforce', 'Audit']),
    requireAuthenticated,
    rules: message.rules.map((rule, index) => decodeRule(rule, `policy.rules[${index}]`, problems)),
    broken,
  };
}

function decodeTarget(target: ReceivedPolicyTarget, field: string, problems: ProblemList): PolicyTarget {
  if (target.selector) return { kind: 'Selector', labels: { ...target.selector.labels } };
  return { kind: 'Service', name: checkText(problems, `${field}.service`, target.service ?? '') };
}

function decodeRule(rule: ReceivedPolicyRule, field: string, problems: ProblemList): PolicyRule {
  const { sources, ports, http } = rule;
  if (sources === null) problems.add(`${field}.sources`, '', 'is missing', 'send it; empty lists mean any');
  return {
    sources: {
      serviceAccounts: sources?.serviceAccounts ?? [],
      namespaces: sources?.namespaces ?? [],
      spiffeIds: sources?.spiffeIds ?? [],
    },
    ports: ports.map((port, index) => checkPort(problems, `${field}.ports[${index}]`, port)),
    http: http === null ? null : decodeAttributes(http, `${field}.http`, problems),
  };
}

function decodeAttributes(
  http: ReceivedHttpAttributes,
  field: string,
  problems: ProblemList,
): HttpAttributes {
  return {
    methods: http.methods,
    paths: http.paths,
    hosts: http.hosts,
    headers: http.headers.map(({ name, values }, index) => ({
      name: checkText(problems, `${field}.headers[${index}].name`, name),
      values,
    })),
  };
}
