/** haproxy: a map from host and prefix to backend, access control lists, and its own Prometheus exporter. */
import { type Credentials, credentialName } from '../credentials.js';
import { type Hop, type HttpListener, type Listener, mostConnections, type Peer } from '../hop.js';
import { backendOf, denied, hosts, prefixes } from '../rules.js';

function routeMap(listener: HttpListener, index: number): string {
  const lines = hosts.flatMap((host, hostIndex) =>
    prefixes.map((prefix, prefixIndex) => {
      const backend = backendOf(hostIndex, prefixIndex) % listener.endpoints.length;
      return `${host}${prefix}/ b${index}_${backend}`;
    }),
  );
  return `${lines.join('\n')}\n`;
}

const authorization = `
    acl debug req.hdr(${denied.header.name}) -m str ${denied.header.value}
    acl write method ${denied.write.methods.join(' ')}
    acl admin path_beg ${denied.write.prefix}
    acl internal path_beg ${denied.prefix}
    http-request deny deny_status 403 if debug
    http-request deny deny_status 403 if write admin
    http-request deny deny_status 403 if internal`;

const version = 'ssl-min-ver TLSv1.3 ssl-max-ver TLSv1.3';

function bindTls(credentials: Credentials | null): string {
  if (credentials === null) return '';
  return ` ssl crt ${credentials.pair} ca-file ${credentials.trust} verify required ${version}`;
}

function serverTls(credentials: Credentials | null): string {
  if (credentials === null) return '';
  const { pair, trust } = credentials;
  return ` ssl crt ${pair} ca-file ${trust} verify required verifyhost ${credentialName} ${version}`;
}

function section(listener: Listener, index: number, hop: Hop, directory: string): string {
  if (listener.protocol === 'tcp') {
    return `
listen tcp${index}
    mode tcp
    option splice-auto
    bind ${listener.address}:${listener.port}${bindTls(listener.inbound)}
    server s ${listener.endpoint.address}:${listener.endpoint.port}${serverTls(listener.outbound)}
`;
  }
  const sources =
    hop.untrusted.length === 0
      ? ''
      : `
    acl untrusted src ${hop.untrusted.join(' ')}
    http-request deny deny_status 403 if untrusted`;
  const backends = listener.endpoints.map(
    ({ address, port }, backend) => `
backend b${index}_${backend}
    server s ${address}:${port}${serverTls(listener.outbound)}${listener.http2 ? ' proto h2' : ''}
`,
  );
  const choice = listener.routes
    ? `use_backend %[base,map_beg(${directory}/routes${index}.map,none)]`
    : `default_backend b${index}_0`;
  return `
frontend f${index}
    bind ${listener.address}:${listener.port}${bindTls(listener.inbound)}${listener.authorization ? sources + authorization : ''}
    ${choice}
${backends.join('')}`;
}

export const haproxy: Peer = {
  name: 'haproxy',
  portOffset: 0,
  files(hop, directory) {
    const files: Record<string, string> = {};
    for (const [index, listener] of hop.listeners.entries()) {
      if (listener.protocol === 'http' && listener.routes)
        files[`routes${index}.map`] = routeMap(listener, index);
    }
    files['haproxy.cfg'] = `global
    nbthread 1
    maxpipes 50
    no strict-limits
    maxconn ${mostConnections}
    stats socket ${directory}/stats.sock mode 600 level user
defaults
    mode http
    maxconn ${mostConnections}
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout http-request 10s
    timeout http-keep-alive 60s
    option forwardfor
${hop.accessLog ? '    log stdout format raw local0\n    option httplog\n' : ''}    http-reuse always
frontend statistics
    bind 127.0.0.1:${hop.statsPort}
    http-request use-service prometheus-exporter if { path /metrics }
backend none
    http-request return status 404
${hop.listeners.map((listener, index) => section(listener, index, hop, directory)).join('')}`;
    return files;
  },
  argv: (directory) => ['haproxy', '-db', '-f', `${directory}/haproxy.cfg`],
};
