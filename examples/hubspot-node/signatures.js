// A client signs for the facade what it sends; the origin checks the signature
// over what arrived with HubSpot's own Signature.isValid. It holds only if host,
// target, body and timestamp came through to the byte.
//
//   node signatures.js EDGE_HTTP EDGE_HTTPS CA_FILE CREDENTIAL
'use strict'
const assert = require('node:assert/strict')
const fs = require('node:fs')
const http2 = require('node:http2')
const net = require('node:net')
const tls = require('node:tls')
const { Signature } = require('@hubspot/api-client')
const { clientSecret } = require('./secret')

const [plain, secure, caFile, credential] = process.argv.slice(2)
const ca = fs.readFileSync(caFile)
const facade = 'api.homeward.test'

const targets = [
  '/',
  '/webhook?a=1;b=2;c',
  '/webhook?broken=%zz&half=%2&none=%',
  '/a%2Fb%2fc/d%20e',
  '/webhook?plus=a+b&space=a%20b&slash=/&question=?&colon=:&at=@',
  '/webhook?empty=&=nameless&&novalue',
  '/webhook?same=1&same=2&same=1',
  '/caf%C3%A9/%E2%82%AC?name=J%C3%BCrgen&lower=%c3%bc',
  '/two//slashes///here',
  '//starts/with/two',
  '/dots/./and/../more/..?up=../..',
  '/dots/%2e%2E/encoded',
  '/ends/with/question?',
  "/marks/!$&'()*+,;=:@-._~|^`{}[]\"<>\\?q=|^`{}[]\"<>\\",
]
// Go's HTTP/2 server, which the edge uses, takes no such path.
const targetsOfHTTP1 = ['/path%zz/%/here%2', ...targets]
const bodies = ['', '{"plain":true}', '{"name":"Jürgen – 東京 🙂","tab":"\\t"}\r\n', 'a=1&b=%zz&c=+\u00a0']

function signed(version, scheme, host, method, target, body) {
  const options = { clientSecret, url: `${scheme}://${host}${target}`, requestBody: body, timestamp: Date.now() }
  return {
    method, host, target, body,
    headers: {
      'X-HubSpot-Signature': Signature.getSignature(method, version, options),
      'X-HubSpot-Signature-Version': version,
      'X-HubSpot-Request-Timestamp': String(options.timestamp),
    },
  }
}

// http1 writes the request byte by byte as given and reads the whole answer.
function http1(scheme, request) {
  const [address, port] = (scheme === 'https' ? secure : plain).split(':')
  const head = [`${request.method} ${request.target} HTTP/1.1`, `Host: ${request.host}`, `Authorization: Bearer ${credential}`]
  for (const [name, value] of Object.entries(request.headers)) head.push(`${name}: ${value}`)
  const content = Buffer.from(request.body, 'utf8')
  head.push(`Content-Length: ${content.length}`, 'Connection: close', '', '')
  return new Promise((resolve, reject) => {
    const socket = scheme === 'https' ? tls.connect({ host: address, port, servername: facade, ca }) : net.connect(port, address)
    const pieces = []
    socket.on('data', (piece) => pieces.push(piece))
    socket.on('error', reject)
    socket.on('end', () => {
      const [answerHead, body] = Buffer.concat(pieces).toString('utf8').split('\r\n\r\n')
      resolve({ status: Number(answerHead.split(' ')[1]), body })
    })
    socket.write(Buffer.concat([Buffer.from(head.join('\r\n'), 'latin1'), content]))
  })
}

let session
function h2(_, request) {
  session ??= http2.connect(`https://${secure}`, { servername: facade, ca })
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': request.method, ':path': request.target, ':authority': request.host, ':scheme': 'https',
      authorization: `Bearer ${credential}`, ...request.headers,
    }, { endStream: request.body === '' })
    let status = 0
    const pieces = []
    stream.on('response', (headers) => { status = headers[':status'] })
    stream.on('data', (piece) => pieces.push(piece))
    stream.on('end', () => resolve({ status, body: Buffer.concat(pieces).toString('utf8') }))
    stream.on('error', reject)
    if (request.body !== '') stream.end(Buffer.from(request.body, 'utf8'))
  })
}

// valid is what the origin says of a request; anything but a verdict fails.
async function valid(send, scheme, request) {
  const { status, body } = await send(scheme, request)
  assert.equal(status, 200, `${request.method} ${request.target} got ${status} ${body}`)
  return JSON.parse(body)
}

async function accepted(label, send, scheme, host) {
  let count = 0
  const all = send === http1 ? targetsOfHTTP1 : targets
  for (const version of ['v1', 'v2', 'v3']) {
    for (const target of all) {
      for (const body of bodies) {
        const method = body ? ['POST', 'PUT', 'PATCH', 'DELETE'][count % 4] : 'GET'
        const verdict = await valid(send, scheme, signed(version, scheme, host, method, target, body))
        assert.ok(verdict.valid, `${version} ${method} ${target} was refused; the origin saw ${verdict.url}`)
        count++
      }
    }
  }
  console.log(`  ${label}, Host ${host}: ${count} of v1, v2 and v3, ${all.length} targets, all accepted`)
}

// refused changes one thing of a signed request at a time.
async function refused() {
  const changes = {
    'a byte of the body': (r) => { r.body = r.body.replace('Jürgen', 'Jurgen') },
    'the case of an escape': (r) => { r.target = r.target.replace('%2F', '%2f') },
    'a plus for a space': (r) => { r.target = r.target.replace('a+b', 'a%20b') },
    'a slash less': (r) => { r.target = r.target.replace('//', '/') },
    'the host': (r) => { r.host = 'localhost' },
    'the method': (r) => { r.method = 'PUT' },
    'the timestamp': (r) => { r.headers['X-HubSpot-Request-Timestamp'] = String(Date.now() + 1000) },
  }
  const only = { v1: ['a byte of the body'], v2: Object.keys(changes).filter((c) => c !== 'the timestamp'), v3: Object.keys(changes) }
  let count = 0
  for (const [version, covered] of Object.entries(only)) {
    for (const change of covered) {
      const request = signed(version, 'http', facade, 'POST', '/x//y%2Fz?q=a+b;c', bodies[2])
      assert.ok((await valid(http1, 'http', request)).valid)
      changes[change](request)
      assert.ok(!(await valid(http1, 'http', request)).valid, `${version} accepted a request with another ${change}`)
      count++
    }
  }
  console.log(`  after signing ${Object.keys(changes).join(', ')} changed: ${count} of ${count} refused`)
}

async function main() {
  console.log('Signature.isValid at the origin, over what arrived:')
  await accepted('HTTP/1.1', http1, 'http', facade)
  await accepted('HTTP/1.1', http1, 'http', plain)
  await accepted('HTTP/1.1 over TLS', http1, 'https', facade)
  await accepted('HTTP/2', h2, 'https', facade)
  await refused()
  session.close()
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
