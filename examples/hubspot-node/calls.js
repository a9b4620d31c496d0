// HubSpot's official client through the edge, unmodified but for basePath: two
// cells at once, retries and limiter on, and the OAuth refresh flow.
//
//   node calls.js BASEPATH NAME ORIGIN CREDENTIALS ...   credentials as JSON: { privateApp, access, refresh }
'use strict'
const assert = require('node:assert/strict')
const { Client } = require('@hubspot/api-client')

const [basePath, ...triples] = process.argv.slice(2)
const cells = {}
for (let i = 0; i < triples.length; i += 3) cells[triples[i]] = { origin: triples[i + 1], ...JSON.parse(triples[i + 2]) }
const used = { limiterOptions: undefined, numberOfApiCallRetries: 3 } // undefined: the client's own limiter

async function seen(cell) {
  return (await fetch(`http://${cells[cell].origin}/seen`)).json()
}

// apiCalls makes the same calls for one cell and returns how many requests
// they are on the wire.
async function apiCalls(cell) {
  const client = new Client({ ...used, basePath, accessToken: cells[cell].privateApp })
  const contacts = client.crm.contacts
  const ids = (list) => list.map((c) => c.id)

  assert.deepEqual(ids((await contacts.basicApi.getPage(2)).results), [`${cell}-1`, `${cell}-2`])
  assert.deepEqual(ids(await contacts.getAll(2)), [`${cell}-1`, `${cell}-2`, `${cell}-3`])
  const created = await contacts.basicApi.create({ properties: { email: 'jürgen+a@example.com' }, associations: [] })
  assert.equal(created.id, `${cell}-4`)
  assert.equal(created.properties.email, 'jürgen+a@example.com')
  const batch = await contacts.batchApi.create({ inputs: ['b', 'c'].map((p) => ({ properties: { email: `${p}@example.com` }, associations: [] })) })
  assert.deepEqual(ids(batch.results), [`${cell}-5`, `${cell}-6`])
  const found = await contacts.searchApi.doSearch({ query: 'jürgen', limit: 10, after: '0', sorts: [], properties: ['email'], filterGroups: [] })
  assert.deepEqual(ids(found.results), [`${cell}-4`])
  const raw = await client.apiRequest({ method: 'GET', path: '/crm/v3/objects/contacts?limit=1&properties=a;b' })
  assert.equal(raw.headers.get('x-served-by'), cell)
  console.log(`  ${cell}: list, all pages, create, batch, search after a retry, raw request`)
}

// refresh gets an access token with a refresh token in a form, and uses it.
async function refresh(cell) {
  const { access, refresh: refreshToken } = cells[cell]
  const client = new Client({ ...used, basePath })
  const grant = await client.oauth.tokensApi.create('refresh_token', undefined, undefined, 'client-id', 'client-secret', refreshToken)
  assert.equal(grant.accessToken, access)
  client.setAccessToken(grant.accessToken)
  assert.equal((await client.crm.contacts.basicApi.getPage(1)).results[0].id, `${cell}-1`)
  const info = await client.oauth.accessTokensApi.get(grant.accessToken)
  assert.equal(info.hubId, 7)
  console.log(`  ${cell}: refresh token in a form, call with the new access token, token in a path`)
}

async function main() {
  const names = Object.keys(cells)
  const busy = names.filter((cell) => cells[cell].privateApp)
  console.log('API calls with private-app tokens, all cells at once:')
  await Promise.all(busy.map(apiCalls))
  console.log('OAuth, all cells at once:')
  await Promise.all(busy.map(refresh))

  console.log('What the origins saw:')
  for (const cell of names) {
    const requests = await seen(cell)
    const { privateApp, access } = cells[cell]
    const expected = privateApp ? [`Bearer ${privateApp}`, `Bearer ${access}`, undefined] : []
    for (const request of requests) {
      assert.ok(expected.includes(request.authorization), `${cell} got a credential of another cell for ${request.target}`)
      assert.equal(request.cell, cell)
      assert.equal(request.host, new URL(basePath).host)
    }
    assert.equal(requests.length, privateApp ? 11 : 0, `${cell} got ${requests.map((r) => `${r.method} ${r.target}`)}`)
    if (privateApp) assert.ok(requests.some((r) => r.target === '/crm/v3/objects/contacts?limit=1&properties=a;b'), 'the raw query changed')
    console.log(`  ${cell}: ${requests.length} requests, none of another cell`)
  }

  const lost = new Client({ ...used, basePath, accessToken: 'pat-zz9-00000000-0000-4000-8000-000000000000' })
  await assert.rejects(lost.crm.contacts.basicApi.getPage(1), (error) => {
    assert.equal(error.code, 401)
    assert.equal(error.headers['homeward-error'], 'unknown-cell')
    return true
  })
  console.log('A token of a cell that does not exist: 401 unknown-cell, as an error of the client')
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
