// The origin of one cell: it imitates the few endpoints that the client calls,
// knows its own credentials and no others, and judges signatures over what
// arrived with HubSpot's own code.
//
//   node origin.js NAME CREDENTIALS   credentials as JSON: { privateApp, access, refresh }
'use strict'
const http = require('node:http')
const { Signature } = require('@hubspot/api-client')
const { clientSecret } = require('./secret')

const [name, credentials] = process.argv.slice(2)
const own = JSON.parse(credentials)
const seen = [] // every request but those for /seen itself
const contacts = [1, 2, 3].map((n) => contact(n, `${name}-${n}@example.com`))
let failures = 1 // how often the search is to fail first

function contact(n, email) {
  const at = '2026-01-01T00:00:00.000Z'
  return { id: `${name}-${n}`, properties: { email }, createdAt: at, updatedAt: at, archived: false }
}

function add(input) {
  const created = contact(contacts.length + 1, input.properties.email)
  contacts.push(created)
  return created
}

// verdict builds the URL from what arrived, as an origin behind a proxy does.
function verdict(req, body) {
  const options = {
    signature: req.headers['x-hubspot-signature'],
    signatureVersion: req.headers['x-hubspot-signature-version'],
    timestamp: Number(req.headers['x-hubspot-request-timestamp']),
    method: req.method,
    url: `${req.headers['x-forwarded-proto']}://${req.headers.host}${req.url}`,
    requestBody: body,
    clientSecret,
  }
  return { valid: Signature.isValid(options), url: options.url }
}

function token(form) {
  if (form.get('grant_type') !== 'refresh_token' || form.get('refresh_token') !== own.refresh) return [400, { status: 'BAD_REFRESH_TOKEN' }]
  return [200, { access_token: own.access, refresh_token: own.refresh, token_type: 'bearer', expires_in: 1800 }]
}

function answer(req, body) {
  if (req.headers['x-hubspot-signature']) return [200, verdict(req, body)]
  const url = new URL(req.url, 'http://origin')
  if (url.pathname === '/oauth/v1/token') return token(new URLSearchParams(body))
  if (url.pathname.startsWith('/oauth/v1/access-tokens/')) {
    const known = url.pathname.endsWith(`/${own.access}`)
    return known ? [200, { token: own.access, hub_id: 7, user_id: 1, app_id: 1, scopes: [], token_type: 'access' }] : [404, {}]
  }
  const bearer = (req.headers.authorization || '').replace(/^Bearer /, '')
  if (bearer !== own.privateApp && bearer !== own.access) return [401, { message: 'not a credential of this cell' }]
  const input = body && JSON.parse(body)
  switch (`${req.method} ${url.pathname}`) {
    case 'GET /crm/v3/objects/contacts': {
      const from = Number(url.searchParams.get('after') || 0)
      const to = from + Number(url.searchParams.get('limit') || 10)
      const paging = to < contacts.length ? { next: { after: String(to) } } : undefined
      return [200, { results: contacts.slice(from, to), paging }]
    }
    case 'POST /crm/v3/objects/contacts':
      return [201, add(input)]
    case 'POST /crm/v3/objects/contacts/search': {
      if (failures-- > 0) return [503, { message: 'busy for a moment' }]
      const results = contacts.filter((c) => c.properties.email.includes(input.query))
      return [200, { total: results.length, results }]
    }
    case 'POST /crm/v3/objects/contacts/batch/create': {
      const at = '2026-01-01T00:00:00.000Z'
      return [201, { status: 'COMPLETE', results: input.inputs.map(add), startedAt: at, completedAt: at }]
    }
  }
  return [404, { message: 'no such endpoint' }]
}

const server = http.createServer((req, res) => {
  const pieces = []
  req.on('data', (piece) => pieces.push(piece))
  req.on('end', () => {
    let status = 500
    let value = null
    const body = Buffer.concat(pieces).toString('utf8')
    if (req.url === '/seen') {
      status = 200
      value = seen
    } else {
      seen.push({ method: req.method, target: req.url, host: req.headers.host, authorization: req.headers.authorization, cell: req.headers['homeward-cell'] })
      try {
        ;[status, value] = answer(req, body)
      } catch (error) {
        value = { message: String(error) }
      }
    }
    const text = Buffer.from(JSON.stringify(value))
    res.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': text.length, 'X-Served-By': name })
    res.end(text)
  })
})
server.listen(0, '127.0.0.1', () => console.log(`listening 127.0.0.1:${server.address().port}`))
