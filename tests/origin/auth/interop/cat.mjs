// The other side of test_cat_interop.py: jobs in on stdin, what @eyevinn/cat says of each out.
//
//   {"key", "kid", "claims"}                       -> {"token"}
//   {"key", "kid", "token", "issuer", …, "url"}    -> {"claims"} or {"error"}

import { readFileSync } from 'node:fs'
import eyevinn from '@eyevinn/cat'

async function make({ key, kid, claims }) {
  const cat = new eyevinn.CAT({ keys: { [kid]: Buffer.from(key, 'hex') }, expectCwtTag: true })
  return { token: await cat.generateFromJson(claims, { type: 'mac', alg: 'HS256', kid }) }
}

async function check({ key, kid, token, issuer, audience, url, ip, asn }) {
  const cat = new eyevinn.CAT({ keys: { [kid]: Buffer.from(key, 'hex') }, expectCwtTag: true })
  const options = { issuer, audience, url: new URL(url), ip, asn }
  try {
    const found = await cat.validate(token, 'mac', options)
    return found.error ? { error: found.error.message } : { claims: found.cat.claims }
  } catch (error) {
    return { error: error.message || error.constructor.name }
  }
}

const jobs = JSON.parse(readFileSync(0, 'utf8'))
const answers = []
for (const job of jobs) answers.push(await (job.token === undefined ? make(job) : check(job)))
console.log(JSON.stringify(answers))
