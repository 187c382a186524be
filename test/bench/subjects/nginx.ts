/** nginx: a server per host with a location per prefix, a map for the denials, stub_status; and the backends. */
import { type Credentials, credentialName } from '../credentials.js';
import {
  type Endpoint,
  type Hop,
  type HttpListener,
  type Listener,
  mostConnections,
  type Peer,
} from '../hop.js';
import { backendOf, backendPorts, denied, hosts, opaquePort, prefixes } from '../rules.js';

const streamModule = '/usr/lib/nginx/modules/ngx_stream_module.so';

/** Everything but the sections of one hop or backend. */
function main(workers: number, directory: string, sections: string): string {
  return `worker_processes ${workers};
pid ${directory}/nginx.pid;
error_log ${directory}/error.log warn;
load_module ${streamModule};
events { worker_connections ${2 * mostConnections}; }
${sections}`;
}

const http = (directory: string, sections: string, log = 'off') => `http {
    access_log ${log};
    keepalive_requests 100000000;
    keepalive_timeout 75s;
    server_names_hash_bucket_size 64;
    client_body_temp_path ${directory}/body;
    proxy_temp_path ${directory}/proxy;
    fastcgi_temp_path ${directory}/fastcgi;
    uwsgi_temp_path ${directory}/uwsgi;
    scgi_temp_path ${directory}/scgi;
${sections}}
`;

function upstream(name: string, { address, port }: Endpoint): string {
  return `    upstream ${name} {
        server ${address}:${port};
        keepalive 512;
        keepalive_requests 100000000;
    }
`;
}

const proxyHeaders = `    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
`;

const header = `$http_${denied.header.name.replaceAll('-', '_')}`;
const authorizationMap = `    map "${header}|$request_method|$uri" $denied {
        default 0;
        "~^${denied.header.value}\\|" 1;
        "~^[^|]*\\|(${denied.write.methods.join('|')})\\|${denied.write.prefix}" 1;
        "~^[^|]*\\|[^|]*\\|${denied.prefix}" 1;
    }
`;

/** Towards who connects. */
function inboundTls(credentials: Credentials | null): string {
  if (credentials === null) return '';
  const { certificate, key, trust } = credentials;
  return `        ssl_certificate ${certificate};
        ssl_certificate_key ${key};
        ssl_client_certificate ${trust};
        ssl_verify_client on;
        ssl_protocols TLSv1.3;
`;
}

/** Towards the endpoints. */
function outboundTls(credentials: Credentials | null): string {
  if (credentials === null) return '';
  const { certificate, key, trust } = credentials;
  return `        proxy_ssl_certificate ${certificate};
        proxy_ssl_certificate_key ${key};
        proxy_ssl_trusted_certificate ${trust};
        proxy_ssl_verify on;
        proxy_ssl_name ${credentialName};
        proxy_ssl_protocols TLSv1.3;
`;
}

function servers(listener: HttpListener, index: number, hop: Hop): string {
  const listen = `${listener.address}:${listener.port}${listener.inbound === null ? '' : ' ssl'}`;
  const tls = inboundTls(listener.inbound) + outboundTls(listener.outbound);
  const scheme = listener.outbound === null ? 'http' : 'https';
  const sources = hop.untrusted.map((address) => `        deny ${address};\n`).join('');
  const checks = listener.authorization ? `${sources}        if ($denied) { return 403; }\n` : '';
  const server = (name: string, inside: string, options = '') =>
    `    server {\n        listen ${listen}${options};\n        server_name ${name};\n${tls}${checks}${inside}    }\n`;
  const pass = (path: string, backend: number) =>
    `        location ${path} { proxy_pass ${scheme}://b${index}_${backend}; }\n`;
  if (!listener.routes) return server('_', pass('/', 0), ' default_server');
  const named = hosts.map((host, hostIndex) => {
    const locations = prefixes.map((prefix, prefixIndex) =>
      pass(`${prefix}/`, backendOf(hostIndex, prefixIndex)),
    );
    return server(host, `${locations.join('')}        location / { return 404; }\n`);
  });
  return server('_', '        location / { return 404; }\n', ' default_server') + named.join('');
}

function httpSection(listener: Listener, index: number, hop: Hop): string {
  if (listener.protocol === 'tcp') return '';
  const upstreams = listener.endpoints.map((endpoint, backend) => upstream(`b${index}_${backend}`, endpoint));
  return upstreams.join('') + servers(listener, index, hop);
}

function streamSection(listener: Listener): string {
  if (listener.protocol === 'http') return '';
  const { address, port, endpoint, inbound, outbound } = listener;
  const listen = `${address}:${port}${inbound === null ? '' : ' ssl'}`;
  const tls = `${inboundTls(inbound)}${outbound === null ? '' : '        proxy_ssl on;\n'}${outboundTls(outbound)}`;
  return `    server {\n        listen ${listen};\n${tls}        proxy_pass ${endpoint.address}:${endpoint.port};\n    }\n`;
}

export const nginx: Peer = {
  name: 'nginx',
  portOffset: 100,
  files(hop, directory) {
    const statistics = `    server {
        listen 127.0.0.1:${hop.statsPort};
        location = /status { stub_status; }
    }
`;
    const listeners = hop.listeners.map((listener, index) => httpSection(listener, index, hop)).join('');
    const streams = hop.listeners.map(streamSection).join('');
    const contents = proxyHeaders + authorizationMap + statistics + listeners;
    const log = hop.accessLog ? `${directory}/access.log combined buffer=64k flush=1s` : 'off';
    const stream = streams === '' ? '' : `stream {\n    access_log off;\n${streams}}\n`;
    return { 'nginx.conf': main(1, directory, http(directory, contents, log) + stream) };
  },
  argv: (directory) => [
    'nginx',
    '-e',
    `${directory}/error.log`,
    '-c',
    `${directory}/nginx.conf`,
    '-g',
    'daemon off;',
  ],
};

/** The body that every backend answers with: 1 KiB. */
export const bodyBytes = 1024;

/** The backends: 1 KiB from memory, the port that answered in `X-Backend`. */
export function backendFiles(directory: string): Record<string, string> {
  const listens = [...backendPorts, opaquePort].map((port) => `        listen 0.0.0.0:${port};\n`).join('');
  const server = `    server {
${listens}        default_type text/plain;
        add_header X-Backend $server_port;
        return 200 "${'w'.repeat(bodyBytes)}";
    }
`;
  return { 'nginx.conf': main(1, directory, http(directory, server)) };
}
