/** Invariants of the mesh, workloads, services and endpoints. */
import { parseAddress, parseCidr } from './address.js';
import type { Mesh } from './mesh.js';
import { checkLength, isPort, problem } from './problem.js';
import type { Problem } from './resource.js';
import type { EndpointSet, Service } from './service.js';
import type { Workload, WorkloadPort } from './workload.js';
import type { WorkloadIndex } from './workload-index.js';

const maxRanges = 1024;
const maxAddresses = 64;
const maxPorts = 256;
const maxEndpoints = 10_000;
const maxIndexed = 1_000;

export function checkMesh(mesh: Mesh): Problem[] {
  const problems = checkLength(mesh.ranges, maxRanges, 'ranges');
  if (!/^[a-z0-9](?:[-._a-z0-9]*[a-z0-9])?$/.test(mesh.trustDomain)) {
    const message = 'a trust domain is a lower-case DNS-like name (SPIFFE-ID section 2.1)';
    problems.push(problem('trustDomain', mesh.trustDomain, message, 'write for example cluster.local'));
  }
  for (const [index, range] of mesh.ranges.entries()) {
    if (parseCidr(range.cidr) !== null) continue;
    const message = 'not a CIDR, or bits are set beyond its prefix';
    problems.push(problem(`ranges[${index}].cidr`, range.cidr, message, 'write for example 10.244.0.0/16'));
  }
  return problems;
}

export function checkWorkload(workload: Workload): Problem[] {
  const problems = [...checkAddresses(workload.addresses), ...checkPorts(workload.ports)];
  for (const field of ['uid', 'name', 'namespace'] as const) {
    if (workload[field] === '')
      problems.push(problem(field, '', `${field} is empty`, `give the workload a ${field}`));
  }
  for (const [index, port] of (workload.capture?.probePorts ?? []).entries()) {
    if (!isPort(port)) problems.push(badPort(`capture.probePorts[${index}]`, port));
  }
  for (const port of Object.keys(workload.mtls.ports)) {
    if (!isPort(Number(port))) problems.push(badPort(`mtls.ports[${port}]`, Number(port)));
  }
  const { cpuShare } = workload.limits;
  if (!Number.isInteger(cpuShare) || cpuShare < 0 || cpuShare > 1000) {
    const message = 'a share is a whole number from 1 to 1000, or 0 for the default';
    problems.push(problem('limits.cpuShare', cpuShare, message, 'write 100 for a usual share'));
  }
  return problems;
}

export function checkWorkloadIndex({ workloads }: WorkloadIndex): Problem[] {
  const problems = checkLength(workloads, maxIndexed, 'workloads');
  const seen = new Set<string>();
  for (const [index, { uid, name, namespace, addresses }] of workloads.entries()) {
    const field = `workloads[${index}]`;
    problems.push(...checkAddresses(addresses, `${field}.addresses`));
    if (uid === '' || name === '' || namespace === '' || seen.has(uid)) {
      const message = 'uid, name or namespace is empty, or the uid is there twice';
      problems.push(problem(`${field}.uid`, uid, message, 'name each workload once'));
    }
    seen.add(uid);
  }
  return problems;
}

export function checkService(service: Service): Problem[] {
  return [...checkAddresses(service.addresses), ...checkPorts(service.ports)];
}

export function checkEndpoints(set: EndpointSet): Problem[] {
  const problems = checkLength(set.endpoints, maxEndpoints, 'endpoints');
  for (const [index, endpoint] of set.endpoints.entries()) {
    const field = `endpoints[${index}]`;
    if (parseAddress(endpoint.address) !== endpoint.address)
      problems.push(badAddress(`${field}.address`, endpoint.address));
    for (const [port, own] of Object.entries(endpoint.ports)) {
      if (!isPort(Number(port)) || !isPort(own)) problems.push(badPort(`${field}.ports[${port}]`, own));
    }
  }
  return problems;
}

function checkAddresses(addresses: readonly string[], field = 'addresses'): Problem[] {
  const malformed = [...addresses.entries()]
    .filter(([, address]) => parseAddress(address) !== address)
    .map(([index, address]) => badAddress(`${field}[${index}]`, address));
  return [...checkLength(addresses, maxAddresses, field), ...malformed];
}

function badAddress(field: string, address: string): Problem {
  const canonical = parseAddress(address);
  if (canonical === null)
    return problem(field, address, 'not an IP address', 'write for example 10.0.0.1 or fd00::1');
  return problem(field, address, 'not in canonical form (RFC 5952)', `write ${canonical}`);
}

/** Ports are 1 to 65535, each once. */
function checkPorts(ports: readonly WorkloadPort[]): Problem[] {
  const problems = checkLength(ports, maxPorts, 'ports');
  const seen = new Set<number>();
  for (const [index, { port }] of ports.entries()) {
    const field = `ports[${index}].port`;
    if (!isPort(port)) problems.push(badPort(field, port));
    if (seen.has(port)) problems.push(problem(field, port, 'the port is declared twice', 'declare it once'));
    seen.add(port);
  }
  return problems;
}

function badPort(field: string, port: number): Problem {
  return problem(field, port, 'not a port', 'write a whole number from 1 to 65535');
}
