/** What weft's own parts say of themselves: configuration, certificates, versions, clocks. */
import { answers, silent } from '../mesh-source.js';
import { formatAge } from '../show/format-table.js';
import { joinControllers } from '../show/show-status.js';
import type { Facts, MeshFacts } from './facts.js';
import { error, type Finding, nameFew, ok, warning } from './finding.js';

/** Certificates' times are compared with a node's clock; tokens and leases with the API server's. */
const clockWarningMs = 5_000;
const clockErrorMs = 60_000;

export function checkMesh(facts: Facts, mesh: MeshFacts): Finding[] {
  // Of nobody nothing else can be said.
  if (answers(mesh.proxies).length === 0) return [...checkAnswers(mesh), ...checkConfiguration(mesh)];
  return [
    ...checkAnswers(mesh),
    checkKernelFeatures(mesh),
    checkCapture(mesh),
    checkConnected(mesh),
    ...checkConfiguration(mesh),
    checkCertificates(facts, mesh),
    checkVersions(facts, mesh),
    checkClocks(mesh),
  ];
}

function checkAnswers({ controllers, proxies }: MeshFacts): Finding[] {
  const not = [...silent(controllers), ...silent(proxies)];
  return not.map(({ name, error: why }) =>
    error('part-answers', `${name} cannot be asked: ${why}`, 'what follows does not speak of it'),
  );
}

function checkKernelFeatures({ proxies }: MeshFacts): Finding {
  const id = 'kernel-features';
  const told = answers(proxies);
  const without = told.filter(({ host }) => !host.btf).map(({ node, host }) => `${node} (${host.kernel})`);
  if (without.length === 0)
    return ok(id, `the kernels of ${told.length} nodes have BTF, as their agents report`);
  return error(
    id,
    `kernels without BTF: ${nameFew(without)}`,
    'use a kernel built with CONFIG_DEBUG_INFO_BTF',
  );
}

/** Capture attaches to cgroup2 and loads its programs before it answers a proxy. */
function checkCapture({ proxies }: MeshFacts): Finding {
  const id = 'capture-runs';
  const told = answers(proxies);
  const without = told.filter(({ capture }) => !capture).map(({ node }) => node);
  if (without.length === 0) return ok(id, `capture has its programs in cgroup2 on ${told.length} nodes`);
  const hint =
    'read the log of container capture: it names the missing kernel feature, cgroup2 root or right';
  return error(id, `capture does not answer on ${nameFew(without)}`, hint);
}

function checkConnected({ proxies }: MeshFacts): Finding {
  const id = 'agents-connected';
  const told = answers(proxies);
  const cut = told.filter(({ controller }) => !controller).map(({ node }) => node);
  if (cut.length === 0) return ok(id, `${told.length} agents have a stream to a controller`);
  const hint = 'they serve on with what they have; look at the NetworkPolicy, DNS, and the proxy’s log';
  return error(id, `no controller reaches the agents of ${nameFew(cut)}`, hint);
}

function checkConfiguration({ controllers }: MeshFacts): Finding[] {
  const told = joinControllers(answers(controllers));
  if (told === null) return [];
  const { nodes, problems, version } = told;
  const behind = nodes.filter((node) => node.connected && !node.reached).map(({ node }) => node);
  const refusing = nodes.flatMap(({ node, refusals }) =>
    refusals.map(({ kind, name }) => `${kind} ${name} on ${node}`),
  );
  const errors = problems.filter(({ severity }) => severity === 'error');
  const hint = 'kubectl weft status tells each with its fix';
  return [
    behind.length === 0
      ? ok('configuration-reached', `every connected node has configuration ${version}`)
      : warning(
          'configuration-reached',
          `${behind.length} nodes are behind version ${version}: ${nameFew(behind)}`,
          'ask again; where it stays so, the node is overloaded or cut off',
        ),
    refusing.length === 0
      ? ok('configuration-accepted', 'no agent refuses a resource')
      : error('configuration-accepted', `agents refuse resources: ${nameFew(refusing)}`, hint),
    errors.length > 0
      ? error(
          'objects-valid',
          `${errors.length} objects are refused: ${nameFew(errors.map(nameProblem))}`,
          hint,
        )
      : problems.length > 0
        ? warning(
            'objects-valid',
            `${problems.length} objects are warned of: ${nameFew(problems.map(nameProblem))}`,
            hint,
          )
        : ok('objects-valid', 'no object is refused or warned of'),
  ];
}

function nameProblem({
  kind,
  namespace,
  name,
  origin,
}: {
  kind: string;
  namespace: string;
  name: string;
  origin: string;
}) {
  if (kind === '') return origin;
  return namespace === '' ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}

function checkCertificates({ nowMs }: Facts, { certificates }: MeshFacts): Finding {
  const id = 'certificates';
  const all = answers(certificates).flatMap((one) => one.certificates);
  const hint = 'kubectl weft certificates -A names each with the reason';
  const bad = all.filter(({ state }) => state !== 'ready' && state !== 'renewing');
  const names = bad.map(({ name, workload, state }) => `${name || workload} (${state})`);
  if (bad.length > 0)
    return error(id, `${bad.length} of ${all.length} identities cannot be proven: ${nameFew(names)}`, hint);
  const late = all.filter(({ notBefore, expires }) => {
    const [begin, end] = [Date.parse(notBefore ?? ''), Date.parse(expires ?? '')];
    return end - nowMs < (end - begin) / 5;
  });
  if (late.length > 0) {
    const which = nameFew(late.map(({ name, workload }) => name || workload));
    return warning(id, `${late.length} certificates are in the last fifth of their life: ${which}`, hint);
  }
  const first = Math.min(...all.map(({ expires }) => Date.parse(expires ?? '')));
  const ends = all.length === 0 ? '' : `, the first ends in ${formatAge(first - nowMs)}`;
  return ok(id, `all ${all.length} identities are proven${ends}`);
}

/** Agents and controllers one version apart work together. */
function checkVersions({ version }: Facts, { proxies }: MeshFacts): Finding {
  const id = 'version-skew';
  const found = new Set(answers(proxies).map((one) => one.version));
  const others = [...found].filter((one) => one !== version);
  if (others.length === 0) return ok(id, `this command and all agents are of version ${version}`);
  const far = others.filter((one) => Math.abs(minor(one) - minor(version)) > 1);
  const hint = 'finish the upgrade; use the kubectl-weft of the installed version';
  const sentence = `this command is of version ${version}, agents are of ${[...found].join(', ')}`;
  return far.length > 0 ? error(id, sentence, hint) : warning(id, sentence, hint);
}

function minor(version: string): number {
  const [major = 0, second = 0] = version.split('.').map(Number);
  return major * 1000 + second;
}

function checkClocks({ proxies, askedMs }: MeshFacts): Finding {
  const id = 'clocks';
  const offsets = answers(proxies).map(({ node, host }) => ({ node, offMs: Math.abs(host.nowMs - askedMs) }));
  const off = offsets.filter(({ offMs }) => offMs > clockWarningMs);
  if (off.length === 0) return ok(id, `the clocks of ${offsets.length} nodes and of this machine agree`);
  const names = off.map(({ node, offMs }) => `${node} by ${formatAge(offMs)}`);
  const sentence = `clocks differ from this machine's: ${nameFew(names)}`;
  const hint = 'set the nodes’ clocks (NTP): certificates are not valid before their time';
  return off.some(({ offMs }) => offMs > clockErrorMs)
    ? error(id, sentence, hint)
    : warning(id, sentence, hint);
}
